package replicator.process;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** When a helper process may be started again. */
class RestartPauseTest {
    private final AtomicLong nanos = new AtomicLong(-7);
    private final RestartPause pause = new RestartPause(nanos::get);

    private long startedAfter(double seconds) {
        nanos.addAndGet((long) (seconds * 1e9));
        pause.begin();
        return pause.leftMillis();
    }

    @Test
    void theFirstTimeAtOnce() {
        assertEquals(0, pause.leftMillis());
    }

    @Test
    void everLaterWhereItEndsSoon() {
        long expected = 1_000;
        assertEquals(expected, startedAfter(0));
        for (int start = 0; start < 20; start++) {
            expected = Math.min(2 * expected, 300_000);
            assertEquals(expected, startedAfter(pause.leftMillis() / 1e3 + 59));
        }
        assertEquals(300_000, expected);
    }

    @Test
    void soonAgainAfterOneThatLivedForLong() {
        startedAfter(0);
        startedAfter(1);
        assertEquals(4_000, startedAfter(2));
        assertEquals(1_000, startedAfter(4 + 60));
    }

    @Test
    void lessAsTimeGoesBy() {
        startedAfter(0);
        nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(300));
        assertEquals(700, pause.leftMillis());
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(300));
        assertEquals(0, pause.leftMillis());
    }
}
