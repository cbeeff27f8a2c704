package replicator.leases;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import replicator.process.DispatchTurns;
import software.amazon.kinesis.leases.Lease;

/** When the lease table is scanned for leases to take. */
class TakePaceTest {
    private static final long FAILOVER_MILLIS = 5_000;

    private final AtomicLong nanos = new AtomicLong(-9);
    private final DispatchTurns turns = new DispatchTurns(Thread.currentThread(), nanos::get);
    private final TakePace pace = new TakePace(turns, FAILOVER_MILLIS, nanos::get);

    @BeforeEach
    void beQuiet() {
        turns.begin();
        pass(60_000);
        assertFalse(turns.isAwake());
    }

    private static Lease lease(String shardId, String owner) {
        Lease made = new Lease();
        made.leaseKey(shardId);
        made.leaseOwner(owner);
        return made;
    }

    private void pass(long millis) {
        nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(millis));
    }

    private void look(List<Lease> found, String held) {
        pace.begin();
        pace.end(found, "us", held::contains);
    }

    @Test
    void everyTimeWhereSomeLeasesAreOthers() {
        look(List.of(lease("a", "us"), lease("b", "them")), "a");
        assertTrue(pace.isDue());
    }

    @Test
    void everyThreeSecondsWhereAllAreHeldHere() {
        look(List.of(lease("a", "us"), lease("b", "us")), "ab");
        assertFalse(pace.isDue());
        pass(2_999);
        assertFalse(pace.isDue());
        pass(1);
        assertTrue(pace.isDue());
    }

    /** Its row names this worker until somebody takes it, which this worker must not be late for. */
    @Test
    void everyTimeWhereALeaseWasDroppedHere() {
        look(List.of(lease("a", "us"), lease("b", "us")), "a");
        assertTrue(pace.isDue());
    }

    /** One that is about to be noticed by the round that renews it. */
    @Test
    void everyTimeWhereALeaseThatIsHeldHereHasAnotherOwner() {
        look(List.of(lease("a", "them")), "a");
        assertTrue(pace.isDue());
    }

    @Test
    void everyTimeAfterOneThatFailedAndWhereThereIsNoLease() {
        look(List.of(lease("a", "us")), "a");
        pace.begin();
        assertTrue(pace.isDue());
        look(List.of(), "");
        assertTrue(pace.isDue());
    }

    /** With 500 leases a scan may be due 2.5 s after the last, when the wake in between is over. */
    @Test
    void afterAWakeHoweverLongAgo() {
        look(List.of(lease("a", "us")), "a");
        turns.wake();
        pass(pace.pauseMillis(500, false));
        assertFalse(turns.isAwake());
        assertTrue(pace.isDue());
        look(List.of(lease("a", "us")), "a");
        assertFalse(pace.isDue());
    }

    /** A lease may come while the table is being read. */
    @Test
    void afterAWakeDuringTheLastOne() {
        pace.begin();
        turns.wake();
        pace.end(List.of(lease("a", "us")), "us", "a"::contains);
        pass(2_500);
        assertTrue(pace.isDue());
    }

    @Test
    void pausesGrowWithTheTableUpToKclsOwn() {
        assertEquals(1_000, pace.pauseMillis(0, false));
        assertEquals(1_000, pace.pauseMillis(200, false));
        assertEquals(2_500, pace.pauseMillis(500, false));
        assertEquals(2 * FAILOVER_MILLIS, pace.pauseMillis(100_000, false));
    }

    @Test
    void theyAreShorterWhileLeasesMove() {
        assertEquals(1_000, pace.pauseMillis(500, true));
        assertEquals(2_000, pace.pauseMillis(1_000, true));
        assertEquals(2 * FAILOVER_MILLIS, pace.pauseMillis(100_000, true));
    }
}
