package replicator.page;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import software.amazon.kinesis.retrieval.polling.SleepTimeController;
import software.amazon.kinesis.retrieval.polling.SleepTimeControllerConfig;

/**
 * Decides how long one shard rests between two reads. The adapter rests after every read, and twice as long after each empty one.
 *
 * <pre>
 *   last record        10 s                     70 s
 *   │ idleMillis       │ 2 x idleMillis         │ half as long again after each empty read, up to maxMillis
 * </pre>
 *
 * <p>It does not rest at all while the shard is behind. A shard that was not written yet, as far as this daemon knows,
 * begins as one that was written long ago: of hundreds that begin together, most are quiet.
 */
final class Pace implements SleepTimeController {
    /** A shard that was written so recently is likely to be written again soon. */
    private static final long WRITTEN_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final long LATELY_WRITTEN_NANOS = TimeUnit.SECONDS.toNanos(70);

    /**
     * The longest rest after a read that failed. KCL begins a shard's reading anew where it hears nothing of it for a minute
     * (ShardConsumer.MAX_TIME_BETWEEN_REQUEST_RESPONSE), and its one thread waits meanwhile: a rest of 20 s, a read that gets
     * no answer for 26 s, this rest and the next read must fit into that.
     */
    private static final long AFTER_FAILURE_MILLIS = 5_000;

    private final long idleMillis;
    private final long maxMillis;
    private final LongSupplier nanos;
    private Long written;
    private volatile long restMillis;
    private volatile long ageMillis;

    /**
     * @param idleMillis between reads of a shard that is written
     * @param maxMillis the longest rest; where it is less than {@code idleMillis}, that is
     * @param nanos the clock, as {@code System.nanoTime} is one
     */
    Pace(long idleMillis, long maxMillis, LongSupplier nanos) {
        this.idleMillis = idleMillis;
        this.maxMillis = Math.max(idleMillis, maxMillis);
        this.nanos = nanos;
        this.restMillis = Math.min(2 * idleMillis, this.maxMillis);
    }

    /**
     * To be told of each read.
     *
     * @param records how many it brought
     * @param isBehind whether these were all that a read may bring
     * @param ageNanos how long ago the stream gave the page, to another task: the rest is counted from then, so that all who
     *     share a shard's reads are there for the next one together
     */
    void read(int records, boolean isBehind, long ageNanos) {
        long now = nanos.getAsLong();
        ageMillis = TimeUnit.NANOSECONDS.toMillis(ageNanos);
        if (records > 0) {
            written = now;
        }
        restMillis = isBehind ? 0 : rest(written == null ? Long.MAX_VALUE : now - written);
    }

    private long rest(long quietNanos) {
        if (quietNanos < WRITTEN_NANOS) {
            return idleMillis;
        }
        long longer = quietNanos < LATELY_WRITTEN_NANOS ? 2 * idleMillis : Math.max(2 * idleMillis, restMillis * 3 / 2);
        return Math.min(longer, maxMillis);
    }

    /** Between the last read and the next one. */
    long restMillis() {
        return Math.max(0, restMillis - ageMillis);
    }

    /** An empty page of that age tells no less than a read after that rest. */
    long freshNanos() {
        return TimeUnit.MILLISECONDS.toNanos(restMillis);
    }

    @Override
    public long getSleepTimeMillis(SleepTimeControllerConfig config) {
        Instant last = config.lastSuccessfulCall();
        if (last == null || config.lastRecordsCount() == null) { // the last read failed
            return Math.min(Math.max(idleMillis, restMillis), AFTER_FAILURE_MILLIS);
        }
        return Math.max(0, restMillis() - Duration.between(last, Instant.now()).abs().toMillis());
    }
}
