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
 * How many of a shard's records the settings have left out, kept in the lease's own row by the calls that KCL makes anyway.
 *
 * <pre>
 *   KCL reads the row before a shard begins   ─▶ found      the number so far, by whatever daemon
 *   the child is about to start               ─▶ begin      a file with it
 *   the child has applied a batch                           the file has more ({@code processor/replication/filtered_count.py})
 *   KCL stores the child's checkpoint         ─▶ with       the row has what the file has
 * </pre>
 *
 * <p>The row is changed on condition of its counter, and the child waits for its checkpoint. So the number is that of the
 * records before the checkpoint: a replay counts nothing twice, and no call more is made. Neither KCL nor anything else that
 * reads leases looks at the attribute; an update that lacks it leaves it as it is.
 */
public final class FilteredCounts {
    /** {@code processor/state/leases.py} reads it. */
    static final String ATTRIBUTE = "recordsFiltered";

    /** What KCL writes with a checkpoint, and with nothing else (DynamoDBLeaseSerializer). */
    private static final String CHECKPOINT = "checkpoint";

    /** Of shards whose rows were read just now. A parent's row is read, too, and that shard may never begin here. */
    private static final int MOST_FOUND = 10_000;

    /** More is nothing that was counted: at a million records a second it takes thirty years. */
    private static final long MOST = 1_000_000_000_000_000L;

    private static final Logger LOG = LoggerFactory.getLogger(FilteredCounts.class);

    private final Path directory;
    private final Map<String, Long> found = Collections.synchronizedMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
            return size() > MOST_FOUND;
        }
    });

    /** @param directory of a file for each shard; null where the settings leave nothing out, and nothing is counted */
    public FilteredCounts(Path directory) {
        this.directory = directory;
    }

    /** Notes what a lease's row says, which was just read. */
    void found(String shardId, Map<String, AttributeValue> row) {
        if (directory != null) {
            found.remove(shardId); // so that it becomes the youngest
            found.put(shardId, count(row.get(ATTRIBUTE)));
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

    /** To be called when a shard's child is about to start: it goes on from the number in the row. */
    public void begin(String shardId) {
        if (directory == null) {
            return;
        }
        Path file = file(shardId);
        Long count = found.remove(shardId);
        try {
            Files.deleteIfExists(file);
            if (count != null) {
                Path made = directory.resolve(file.getFileName() + ".new"); // an earlier child may have the file open
                Files.write(made, ByteBuffer.allocate(Long.BYTES).putLong(count).array());
                Files.move(made, file, StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException e) {
            Event.warning("filtered_uncounted").with("shard", shardId).with("file", file).with("error", e.toString())
                    .note("The file can't be written, so status does not learn how many more of this shard's records the "
                            + "settings leave out. Nothing else depends on it. Make the directory writable.");
        }
    }

    /** The update, with the shard's number if it stores a checkpoint. */
    UpdateItemRequest with(String shardId, UpdateItemRequest update) {
        Long count = directory == null || !update.attributeUpdates().containsKey(CHECKPOINT) ? null : read(shardId);
        if (count == null) {
            return update;
        }
        Map<String, AttributeValueUpdate> updates = new HashMap<>(update.attributeUpdates());
        updates.put(ATTRIBUTE, AttributeValueUpdate.builder()
                .value(AttributeValue.builder().n(Long.toString(count)).build()).action(AttributeAction.PUT).build());
        return update.toBuilder().attributeUpdates(updates).build();
    }

    private Long read(String shardId) {
        try {
            byte[] content = Files.readAllBytes(file(shardId));
            return content.length < Long.BYTES ? null : ByteBuffer.wrap(content).getLong();
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            LOG.debug("The count of shard {} can't be read", shardId, e);
            return null;
        }
    }

    private Path file(String shardId) {
        return directory.resolve(LeaseTerms.fileName(shardId));
    }
}
