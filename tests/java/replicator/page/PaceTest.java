package replicator.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import software.amazon.kinesis.retrieval.polling.SleepTimeControllerConfig;

/** How long a shard rests between two reads. */
class PaceTest {
    private static final long IDLE = 100_000; // so long that no machine's slowness counts

    private static SleepTimeControllerConfig read(Instant at, Integer records) {
        return SleepTimeControllerConfig.builder()
                .idleMillisBetweenCalls(IDLE).lastSuccessfulCall(at).lastRecordsCount(records).build();
    }

    private static void assertNear(long expected, long found) {
        assertTrue(found <= expected && found > expected - 50_000, found + " ms");
    }

    @Test
    void notAtAllWhereItIsBehind() {
        assertEquals(0, new Pace(() -> true).getSleepTimeMillis(read(Instant.now(), 1_000)));
    }

    @Test
    void afterAReadThatFailed() {
        assertEquals(IDLE, new Pace(() -> true).getSleepTimeMillis(read(null, null)));
        assertEquals(IDLE, new Pace(() -> true).getSleepTimeMillis(read(Instant.now(), null)));
    }

    @Test
    void longerWhereNothingWasWritten() {
        Pace pace = new Pace(() -> false);
        Instant now = Instant.now();
        assertNear(2 * IDLE, pace.getSleepTimeMillis(read(now, 0)));
        assertNear(IDLE, pace.getSleepTimeMillis(read(now, 1)));
        assertNear(IDLE, pace.getSleepTimeMillis(read(now.plusSeconds(9), 0)));
        assertNear(2 * IDLE, pace.getSleepTimeMillis(read(now.plusSeconds(10), 0)));
    }
}
