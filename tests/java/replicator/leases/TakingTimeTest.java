package replicator.leases;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** How long a look takes leases. */
class TakingTimeTest {
    private final AtomicLong nanos = new AtomicLong(-5);
    private final TakingTime taking = new TakingTime(5_000, nanos::get);

    @Test
    void aLookTakesForAFifthOfTheFailoverTime() {
        taking.begin();
        nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(1_000));
        assertFalse(taking.isOver());
        assertFalse(taking.hasLeft());
        nanos.addAndGet(1);
        assertTrue(taking.isOver());
        assertTrue(taking.hasLeft());
    }

    @Test
    void theNextLookHasItsOwnTime() {
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(60));
        assertTrue(taking.isOver());
        taking.begin();
        assertFalse(taking.hasLeft());
        assertFalse(taking.isOver());
    }

    @Test
    void whoeverAsksForNoLeaseLeavesNone() {
        taking.begin();
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(60));
        assertFalse(taking.hasLeft());
    }
}
