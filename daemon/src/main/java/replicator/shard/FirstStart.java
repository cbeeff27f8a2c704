package replicator.shard;

import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * Passes over the changes that were made before the task's first start, where {@code initialPositionInStream=LATEST}.
 *
 * <p>KCL's own LATEST is the end of a shard at the moment at which it is read without a checkpoint: what was written while
 * the daemon was stopped before that would be lost. So every shard is read from its oldest record, and the moment, which
 * {@code processor/state/task_row.py} keeps, says which changes are meant.
 *
 * <p>A record's time is approximate, so where it is not certain that a change was made before, it is applied: to apply one
 * again, or one too many, ends as the source is. Not so of a two-way task's uplink: what was written before it is the
 * mirror's, without a marker, and would undo what the hub has got since. Its moment has all that it takes for clocks and
 * seconds ({@code directions.py}); a minute would let such a write through.
 */
public final class FirstStart {
    /** ApproximateCreationDateTime has whole seconds on AWS. */
    private static final long SECOND_MILLIS = 1_000;

    /** And whole minutes on DynamoDB Local; a second that is a whole minute may be that. */
    private static final long MINUTE_MILLIS = 60_000;

    /** Servers' clocks differ by less, where they keep any time at all. */
    private static final long CLOCKS_MILLIS = 5_000;

    private static final Logger LOG = LoggerFactory.getLogger(FirstStart.class);

    private final long millis;
    private final boolean hasSeconds;

    /**
     * @param millis since the epoch, by the source's clock; 0 where every change is meant
     * @param hasSeconds whether a record's time that is a whole minute is a second as any other
     */
    public FirstStart(long millis, boolean hasSeconds) {
        this.millis = millis;
        this.hasSeconds = hasSeconds;
    }

    /**
     * The batch without what was made before. Where nothing is left of it, all of it is checkpointed.
     *
     * @param mayCheckpoint whether everything before the batch is checkpointed: the child's own checkpoint of it would come
     *     too late
     */
    ProcessRecordsInput since(ProcessRecordsInput batch, boolean mayCheckpoint) {
        List<KinesisClientRecord> records = batch.records();
        if (millis == 0 || records.isEmpty() || !isBefore(records.get(0).approximateArrivalTimestamp())) {
            return batch;
        }
        List<KinesisClientRecord> kept = records.stream()
                .filter(record -> !isBefore(record.approximateArrivalTimestamp())).collect(Collectors.toList());
        if (kept.isEmpty() && mayCheckpoint) {
            checkpoint(batch, records.get(records.size() - 1).sequenceNumber());
        }
        return batch.toBuilder().records(kept).build();
    }

    boolean isBefore(Instant made) {
        long at = made.toEpochMilli();
        long precision = at % MINUTE_MILLIS == 0 && !hasSeconds ? MINUTE_MILLIS : SECOND_MILLIS;
        return at < millis - precision - CLOCKS_MILLIS; // a sum with a time from outside could be too large for 64 bits
    }

    /** Only so that it need not be read again, nor count as lag: without it the next start passes over it once more. */
    private static void checkpoint(ProcessRecordsInput batch, String sequenceNumber) {
        try {
            batch.checkpointer().checkpoint(sequenceNumber);
        } catch (Exception e) { // KCL's are checked; the lease may be lost, which KCL itself tells the child
            LOG.debug("Records before the first start are passed over without a checkpoint", e);
        }
    }
}
