package replicator.lineage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/** Which shards count as unread, by looks that are 20 s apart. */
class UnreadShardsTest {
    private final AtomicLong nanos = new AtomicLong(-3);
    private final UnreadShards unread = new UnreadShards(nanos::get);
    private final Map<String, Lease> leases = new HashMap<>();

    private Lease lease(String shardId, String owner, String... parents) {
        Lease made = new Lease();
        made.leaseKey(shardId);
        made.leaseOwner(owner);
        made.leaseCounter(1L);
        made.checkpoint(ExtendedSequenceNumber.TRIM_HORIZON);
        made.parentShardIds(List.of(parents));
        leases.put(shardId, made);
        return made;
    }

    private static void renew(Lease lease) {
        lease.leaseCounter(lease.leaseCounter() + 1);
    }

    private void look() {
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(20));
        unread.see(leases);
    }

    private void looks(int number) {
        for (int i = 0; i < number; i++) {
            look();
        }
    }

    @Test
    void oneWhoseLeaseIsNotRenewedForAMinute() {
        lease("a", "worker");
        looks(4);
        assertEquals(Set.of(), unread.forLong());
        look();
        assertEquals(Set.of("a"), unread.forLong());
        assertEquals(60, unread.longestSeconds());
    }

    /** It was between two owners at one look, was read, and was between two again at another one, minutes later. */
    @Test
    void noneThatWasReadInBetween() {
        Lease lease = lease("a", "worker");
        looks(2);
        for (int i = 0; i < 15; i++) {
            renew(lease);
            look();
        }
        look();
        assertEquals(Set.of(), unread.forLong());
        assertEquals(0, unread.longestSeconds());
    }

    /** Not only when the stream is listed again, minutes later. */
    @Test
    void noneAnyMoreOnceItIsRead() {
        Lease lease = lease("a", "worker");
        looks(5);
        renew(lease);
        look();
        assertEquals(Set.of(), unread.forLong());
    }

    @Test
    void noneThatWaitsForItsParentOrIsFinished() {
        Lease parent = lease("a", "worker");
        lease("b", null, "a");
        lease("c", null).checkpoint(ExtendedSequenceNumber.SHARD_END);
        for (int i = 0; i < 10; i++) {
            renew(parent);
            look();
        }
        assertEquals(Set.of(), unread.forLong());
        parent.checkpoint(ExtendedSequenceNumber.SHARD_END);
        looks(4);
        assertEquals(Set.of("b"), unread.forLong());
    }

    @Test
    void oneThatLacksItsLeaseUntilItHasOneThatIsRenewed() {
        look();
        unread.listed(Set.of("a"), leases);
        assertTrue(unread.isAnyLacking());
        looks(3);
        assertEquals(Set.of("a"), unread.forLong());
        lease("a", "worker");
        look();
        assertEquals(Set.of(), unread.forLong());
        assertFalse(unread.isAnyLacking());
    }

    @Test
    void noneThatTheNextListingFindsInOrder() {
        look();
        unread.listed(Set.of("a"), leases);
        looks(3);
        unread.listed(Set.of(), leases);
        assertEquals(Set.of(), unread.forLong());
    }
}
