package replicator.rows;

import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/**
 * What other daemons, later starts and {@code status} (processor/state/holds.py) must know of losses, as rows of the task table:
 * {@code loss#<shard>} for as long as there is one; {@code lifted#<shard>} once a copy has made it good, since a shard that is
 * begun again before its next checkpoint meets the same loss again.
 */
public final class LossRows {
    private static final String LOSS = "loss#";
    private static final String LIFTED = "lifted#";
    private static final Logger LOG = LoggerFactory.getLogger(LossRows.class);

    private final TaskTable table;
    private final Set<String> toRemove = ConcurrentHashMap.newKeySet();

    public LossRows(TaskTable table) {
        this.table = table;
    }

    /** Since when the loss at this checkpoint is known, in milliseconds since the epoch; empty where it is new. */
    public OptionalLong since(String shardId, String checkpoint) {
        return since(LOSS, shardId, checkpoint);
    }

    /** Since when a loss at this checkpoint was known that a copy has made good since; empty where there was none. */
    public OptionalLong liftedSince(String shardId, String checkpoint) {
        return since(LIFTED, shardId, checkpoint);
    }

    private OptionalLong since(String kind, String shardId, String checkpoint) {
        Row row = table.row(kind + shardId);
        boolean isSame = !row.isMissing() && row.text("sequenceNumber").equals(checkpoint);
        return isSame ? OptionalLong.of(row.millis("sinceMs")) : OptionalLong.empty();
    }

    public void found(String shardId, String checkpoint, long sinceMillis, String what) {
        put(LOSS, shardId, checkpoint, sinceMillis, what);
        toRemove.remove(shardId);
    }

    public void lifted(String shardId, String checkpoint, long sinceMillis, String what) {
        put(LIFTED, shardId, checkpoint, sinceMillis, what);
        remove(shardId);
    }

    private void put(String kind, String shardId, String checkpoint, long sinceMillis, String what) {
        table.put(kind + shardId, Map.of(
                "sequenceNumber", AttributeValue.fromS(checkpoint),
                "sinceMs", AttributeValue.fromN(Long.toString(sinceMillis)),
                "seenMs", AttributeValue.fromN(Long.toString(System.currentTimeMillis())),
                "reason", AttributeValue.fromS(what)));
    }

    /** There is no loss any more. Where the table is away, that is tried again. */
    public void remove(String shardId) {
        toRemove.add(shardId);
        retry();
    }

    /** Removes what could not be removed before. */
    public void retry() {
        for (String shardId : toRemove) {
            try {
                table.delete(LOSS + shardId);
                toRemove.remove(shardId);
            } catch (RuntimeException e) {
                LOG.debug("The loss of shard {} can't be removed from the task table yet", shardId, e);
                return;
            }
        }
    }
}
