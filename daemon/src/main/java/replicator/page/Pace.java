package replicator.page;

import java.time.Duration;
import java.time.Instant;
import java.util.function.BooleanSupplier;
import software.amazon.kinesis.retrieval.polling.SleepTimeController;
import software.amazon.kinesis.retrieval.polling.SleepTimeControllerConfig;

/**
 * How long one shard rests between two reads: not at all while it is behind, {@code idleTimeBetweenReadsInMillis} while it
 * is being written, twice that otherwise. The adapter rests after every read, and twice as long after each empty one.
 */
final class Pace implements SleepTimeController {
    /** A shard that was written so recently is likely to be written again soon. */
    private static final Duration WRITTEN = Duration.ofSeconds(10);

    private final BooleanSupplier behind;
    private Instant written = Instant.EPOCH;

    /** @param behind whether the last read was of all that a read may bring */
    Pace(BooleanSupplier behind) {
        this.behind = behind;
    }

    @Override
    public long getSleepTimeMillis(SleepTimeControllerConfig config) {
        long idle = config.idleMillisBetweenCalls();
        Instant last = config.lastSuccessfulCall();
        Integer records = config.lastRecordsCount();
        if (last == null || records == null) { // the last read failed
            return idle;
        }
        if (behind.getAsBoolean()) {
            return 0;
        }
        if (records > 0) {
            written = last;
        }
        long rest = Duration.between(written, last).compareTo(WRITTEN) < 0 ? idle : 2 * idle;
        return Math.max(0, rest - Duration.between(last, Instant.now()).abs().toMillis());
    }
}
