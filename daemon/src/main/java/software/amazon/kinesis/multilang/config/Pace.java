package software.amazon.kinesis.multilang.config;

import java.time.Duration;
import java.time.Instant;
import java.util.function.IntSupplier;
import software.amazon.kinesis.retrieval.polling.SleepTimeController;
import software.amazon.kinesis.retrieval.polling.SleepTimeControllerConfig;

/**
 * How long one shard rests between two reads: not at all while it is behind, {@code idleTimeBetweenReadsInMillis} while it
 * is being written, twice that otherwise. The adapter rests after every read, and twice as long after each empty one.
 */
final class Pace implements SleepTimeController {
    /** A shard that was written so recently is likely to be written again soon. */
    private static final Duration WRITTEN = Duration.ofSeconds(10);

    /** DynamoDB ends a page at 1 MB, whatever it may still have. */
    private static final int FULL_BYTES = 512 * 1024;

    private final int fullRecords;
    private final IntSupplier lastBytes;
    private Instant written = Instant.EPOCH;

    /**
     * @param fullRecords so many records in a page say that there are more
     * @param lastBytes the last page's length
     */
    Pace(int fullRecords, IntSupplier lastBytes) {
        this.fullRecords = fullRecords;
        this.lastBytes = lastBytes;
    }

    @Override
    public long getSleepTimeMillis(SleepTimeControllerConfig config) {
        long idle = config.idleMillisBetweenCalls();
        Instant last = config.lastSuccessfulCall();
        Integer records = config.lastRecordsCount();
        if (last == null || records == null) { // the last read failed
            return idle;
        }
        if (records >= fullRecords || lastBytes.getAsInt() >= FULL_BYTES) {
            return 0;
        }
        if (records > 0) {
            written = last;
        }
        long rest = Duration.between(written, last).compareTo(WRITTEN) < 0 ? idle : 2 * idle;
        return Math.max(0, rest - Duration.between(last, Instant.now()).abs().toMillis());
    }
}
