package replicator.leases;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

/** Updates at one counter of a lease: at most one of them is ever done, and its answer may be late. */
class LeaseAttemptsTest {
    private final LeaseAttempts attempts = new LeaseAttempts();
    private final LeaseTerms.Moment first = LeaseTerms.Moment.now();
    private final LeaseTerms.Moment second = LeaseTerms.Moment.now();

    @Test
    void theFirstIsRememberedAndThoseUnderWayAreCounted() {
        attempts.begin("shard", 7, first);
        attempts.begin("shard", 7, second);
        assertEquals(2, attempts.open("shard", 7));
        assertSame(first, attempts.firstAt("shard", 7));
        attempts.failed("shard", 7);
        assertEquals(1, attempts.open("shard", 7));
        assertNull(attempts.landedAt("shard", 7));
    }

    @Test
    void aLateAnswerCountsFromItsOwnRequest() {
        attempts.begin("shard", 7, first);
        attempts.begin("shard", 7, second);
        attempts.landed("shard", 7, second);
        attempts.failed("shard", 7);
        assertSame(second, attempts.landedAt("shard", 7));
        assertEquals(0, attempts.open("shard", 7));
    }

    @Test
    void anAnswerAtAnEarlierCounterIsPassedOver() {
        attempts.begin("shard", 7, first);
        attempts.begin("shard", 8, second);
        attempts.landed("shard", 7, first);
        assertNull(attempts.landedAt("shard", 8));
        assertNull(attempts.firstAt("shard", 7));
        assertEquals(1, attempts.open("shard", 8));
        attempts.forget("shard");
        assertEquals(0, attempts.open("shard", 8));
    }
}
