package replicator.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import software.amazon.kinesis.retrieval.polling.SleepTimeControllerConfig;

/** How long a shard rests between two reads. */
class PaceTest {
    private static final long IDLE = 125;
    private static final long MOST = 1_000;

    private final AtomicLong nanos = new AtomicLong(-5);
    private final Pace pace = new Pace(IDLE, MOST, nanos::get);

    private long after(double seconds, int records) {
        nanos.addAndGet((long) (seconds * 1e9));
        pace.read(records, false, 0);
        return pace.restMillis();
    }

    @Test
    void notAtAllWhileItIsBehind() {
        pace.read(1_000, true, 0);
        assertEquals(0, pace.restMillis());
        assertEquals(IDLE, after(0.1, 3));
    }

    @Test
    void shortWhileItIsWrittenAndForAWhileAfter() {
        assertEquals(IDLE, after(100, 1));
        assertEquals(IDLE, after(9, 0));
        assertEquals(2 * IDLE, after(1, 0));
        assertEquals(2 * IDLE, after(59, 0));
    }

    @Test
    void everLongerWhenItIsQuietUpToTheMost() {
        assertEquals(IDLE, after(0, 1));
        assertEquals(2 * IDLE, after(69, 0));
        assertEquals(375, after(1, 0));
        assertEquals(562, after(0.4, 0));
        assertEquals(843, after(0.6, 0));
        assertEquals(MOST, after(0.8, 0));
        assertEquals(MOST, after(1_000, 0));
    }

    @Test
    void shortAgainWithTheFirstRecord() {
        for (int read = 0; read < 10; read++) {
            after(100, 0);
        }
        assertEquals(MOST, pace.restMillis());
        assertEquals(IDLE, after(1, 1));
        assertEquals(IDLE, after(0.125, 0));
    }

    /** Hundreds begin together, and most are quiet. */
    @Test
    void everLongerFromTheBeginOnWhereNothingWasWritten() {
        assertEquals(375, after(0, 0));
        assertEquals(562, after(0, 0));
    }

    @Test
    void theSameForEveryShardWhereTheMostIsTheLeast() {
        Pace slow = new Pace(2_000, 1_000, nanos::get);
        slow.read(0, false, 0);
        assertEquals(2_000, slow.restMillis());
        slow.read(1, false, 0);
        assertEquals(2_000, slow.restMillis());
    }

    @Test
    void fromTheLastAnswerOn() {
        pace.read(1, false, 0);
        assertEquals(0, pace.getSleepTimeMillis(answered(Instant.now().minusMillis(IDLE), 1)));
        assertTrue(pace.getSleepTimeMillis(answered(Instant.now(), 1)) <= IDLE);
    }

    /** As long as the shard rests anyway, but not at once where it is behind. */
    @Test
    void afterAReadThatFailed() {
        pace.read(1_000, true, 0);
        assertEquals(IDLE, pace.getSleepTimeMillis(answered(null, null)));
        for (int read = 0; read < 10; read++) {
            after(100, 0);
        }
        assertEquals(MOST, pace.getSleepTimeMillis(answered(null, null)));
    }

    /** KCL must hear of the shard within a minute, although a read without an answer took half of it. */
    @Test
    void atMostFiveSecondsAfterAReadThatFailed() {
        Pace slow = new Pace(20_000, 20_000, nanos::get);
        slow.read(0, false, 0);
        assertEquals(20_000, slow.restMillis());
        assertEquals(5_000, slow.getSleepTimeMillis(answered(null, null)));
    }

    private static SleepTimeControllerConfig answered(Instant at, Integer records) {
        return SleepTimeControllerConfig.builder().lastSuccessfulCall(at).lastRecordsCount(records).build();
    }
}
