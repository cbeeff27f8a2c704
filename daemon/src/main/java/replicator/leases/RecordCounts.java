package replicator.leases;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import replicator.log.Event;
import software.amazon.awssdk.services.dynamodb.model.AttributeAction;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.AttributeValueUpdate;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemRequest;

/**
 * How many of a shard's records are applied, and how many of these the settings have left out, kept in the lease's own row
 * by the calls that KCL makes anyway.
 *
 * <pre>
 *   KCL reads the row before a shard begins   ─▶ found      the numbers so far, by whatever daemon
 *   the child is about to start               ─▶ begin      a file with them
 *   the child has applied a batch                           the file has more ({@code processor/replication/record_counts.py})
 *   KCL stores the child's checkpoint         ─▶ with       the row has what the file has
 * </pre>
 *
 * <p>The row is changed on condition of its counter, and the child waits for its checkpoint. So the numbers are those of the
 * records before the checkpoint: a replay counts nothing twice, and no call more is made. Neither KCL nor anything else that
 * reads leases looks at the attributes; an update that lacks them leaves them as they are.
 */
public final class RecordCounts {
    /** {@code processor/state/leases.py} reads both. */
    static final String APPLIED = "recordsApplied";
    static final String FILTERED = "recordsFiltered";

    /** Of the file: one number after the other, each big-endian. */
    private static final int BYTES = 2 * Long.BYTES;

    /** What KCL writes with a checkpoint, and with nothing else (DynamoDBLeaseSerializer). */
    private static final String CHECKPOINT = "checkpoint";

    /** Of shards whose rows were read just now. A parent's row is read, too, and that shard may never begin here. */
    private static final int MOST_FOUND = 10_000;

    /** More is nothing that was counted: at a million records a second it takes thirty years. */
    private static final long MOST = 1_000_000_000_000_000L;

    private static final Logger LOG = LoggerFactory.getLogger(RecordCounts.class);

    private final Path directory;
    private final boolean filters;
    private final Map<String, Counts> found = Collections.synchronizedMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Counts> eldest) {
            return size() > MOST_FOUND;
        }
    });

    /**
     * @param directory of a file for each shard; null where nothing is to be counted
     * @param filters whether the settings may leave records out
     */
    public RecordCounts(Path directory, boolean filters) {
        this.directory = directory;
        this.filters = filters;
    }

    /** Notes what a lease's row says, which was just read. */
    void found(String shardId, Map<String, AttributeValue> row) {
        if (directory != null) {
            found.remove(shardId); // so that it becomes the youngest
            found.put(shardId, new Counts(count(row.get(APPLIED)), count(row.get(FILTERED))));
        }
    }

    private static long count(AttributeValue stored) {
        try {
            long count = stored == null || stored.n() == null ? 0 : Long.parseLong(stored.n());
            return count < 0 || count > MOST ? 0 : count;
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /** To be called when a shard's child is about to start: it goes on from the numbers in the row. */
    public void begin(String shardId) {
        if (directory == null) {
            return;
        }
        Path file = file(shardId);
        Counts counts = found.remove(shardId);
        try {
            Files.deleteIfExists(file);
            if (counts != null) {
                Path made = directory.resolve(file.getFileName() + ".new"); // an earlier child may have the file open
                Files.write(made, ByteBuffer.allocate(BYTES).putLong(counts.applied).putLong(counts.filtered).array());
                Files.move(made, file, StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException e) {
            Event.warning("records_uncounted").with("shard", shardId).with("file", file).with("error", e.toString())
                    .note("The file can't be written, so status and the console do not learn how many more of this shard's "
                            + "records are applied. Nothing else depends on it. Make the directory writable.");
        }
    }

    /** The update, with the shard's numbers if it stores a checkpoint. */
    UpdateItemRequest with(String shardId, UpdateItemRequest update) {
        Counts counts = directory == null || !update.attributeUpdates().containsKey(CHECKPOINT) ? null : read(shardId);
        if (counts == null) {
            return update;
        }
        Map<String, AttributeValueUpdate> updates = new HashMap<>(update.attributeUpdates());
        updates.put(APPLIED, put(counts.applied));
        if (filters) {
            updates.put(FILTERED, put(counts.filtered));
        }
        return update.toBuilder().attributeUpdates(updates).build();
    }

    private static AttributeValueUpdate put(long count) {
        return AttributeValueUpdate.builder()
                .value(AttributeValue.builder().n(Long.toString(count)).build()).action(AttributeAction.PUT).build();
    }

    private Counts read(String shardId) {
        try {
            ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(file(shardId)));
            return content.remaining() < BYTES ? null : new Counts(content.getLong(), content.getLong());
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            LOG.debug("The counts of shard {} can't be read", shardId, e);
            return null;
        }
    }

    private Path file(String shardId) {
        return directory.resolve(LeaseTerms.fileName(shardId));
    }

    private static final class Counts {
        final long applied;
        final long filtered;

        Counts(long applied, long filtered) {
            this.applied = applied;
            this.filtered = filtered;
        }
    }
}
