package replicator.lineage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import replicator.stream.Listings;
import replicator.stream.StreamListing;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/** Which shards ought to have a lease: a parent with one child, which is open. */
class LineageTest {
    private static final StreamListing PAIR = Listings.of(shard("parent", null, "2"), shard("child", "parent", null));

    private static Shard shard(String id, String parent, String end) {
        return Shard.builder().shardId(id).parentShardId(parent)
                .sequenceNumberRange(r -> r.startingSequenceNumber("1").endingSequenceNumber(end)).build();
    }

    private static Lineage lineage(Map<String, ExtendedSequenceNumber> checkpoints) {
        Map<String, Lease> leases = new HashMap<>();
        checkpoints.forEach((shardId, checkpoint) -> {
            Lease lease = new Lease();
            lease.leaseKey(shardId);
            lease.checkpoint(checkpoint);
            leases.put(shardId, lease);
        });
        return new Lineage(PAIR, leases);
    }

    @Test
    void withoutAnyLeaseAllAreUnread() {
        assertEquals(Set.of("parent", "child"), lineage(Map.of()).unread());
    }

    @Test
    void aParentOfAnUnbegunChildIsUnread() {
        assertEquals(Set.of("parent"), lineage(Map.of("child", ExtendedSequenceNumber.TRIM_HORIZON)).unread());
    }

    @Test
    void aParentOfABegunChildIsOfUnknownEnd() {
        Lineage found = lineage(Map.of("child", new ExtendedSequenceNumber("5")));
        assertEquals(Set.of("parent"), found.ofUnknownEnd());
        assertEquals(Set.of(), found.unread());
    }

    @Test
    void aParentOfAFinishedChildIsSettled() {
        Lineage found = lineage(Map.of("child", ExtendedSequenceNumber.SHARD_END));
        assertEquals(List.of(Set.of(), Set.of()), List.of(found.unread(), found.ofUnknownEnd()));
    }

    @Test
    void aChildGetsItsLeaseWhenItsParentEnds() {
        assertEquals(Set.of(), lineage(Map.of("parent", new ExtendedSequenceNumber("1"))).unread());
        assertEquals(Set.of("child"), lineage(Map.of("parent", ExtendedSequenceNumber.SHARD_END)).unread());
    }

    @Test
    void anEnabledStreamHasAShard() {
        assertThrows(IllegalStateException.class, Listings::of);
    }

    @Test
    void aThousandGenerationsAndMore() {
        Shard[] chain = new Shard[20_000];
        for (int i = 0; i < chain.length; i++) {
            chain[i] = shard(String.valueOf(i), i == 0 ? null : String.valueOf(i - 1), "2");
        }
        assertEquals(chain.length, new Lineage(Listings.of(chain), Map.of()).unread().size());
    }
}
