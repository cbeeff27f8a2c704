package replicator.lineage;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import replicator.stream.Listings;
import replicator.stream.StreamListing;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/** The looks of a daemon that is not the one that speaks: another one renews the only lease. */
class ShardWatchTest {
    private static final Shard SHARD =
            Shard.builder().shardId("shard").sequenceNumberRange(r -> r.startingSequenceNumber("1")).build();

    private final AtomicInteger listings = new AtomicInteger();
    private final List<Integer> told = new ArrayList<>();
    private final WrongLeases wrong = new WrongLeases(null, Listings.noLosses());

    private ShardWatch watch(Lease lease) {
        return new ShardWatch(null, Listings.looking(listings, SHARD), () -> {
            lease.leaseCounter(lease.leaseCounter() + 1);
            return List.of(lease);
        }, wrong, "second", () -> null, told::add);
    }

    private static Lease lease(ExtendedSequenceNumber checkpoint) {
        Lease made = new Lease();
        made.leaseKey("shard");
        made.leaseOwner("first");
        made.leaseCounter(0L);
        made.checkpoint(checkpoint);
        return made;
    }

    /** With its count goes that of the shards that it holds, which would otherwise be told minutes late. */
    @Test
    void tellsItsCountsAtEachLookAndListsSeldom() throws Exception {
        ShardWatch watch = watch(lease(ExtendedSequenceNumber.TRIM_HORIZON));
        watch.look();
        watch.look();
        watch.look();
        assertEquals(List.of(0, 0, 0), told);
        assertEquals(1, listings.get());
    }

    /** An open shard whose lease says that it is finished: two listings find it, and looks without one count it. */
    @Test
    void whatListingsFoundCountsUntilTheNext() throws Exception {
        Lease lease = lease(ExtendedSequenceNumber.SHARD_END);
        ShardWatch watch = watch(lease);
        watch.look();
        StreamListing listing = Listings.of(SHARD);
        Map<String, Lease> leases = Map.of("shard", lease);
        wrong.look(listing, new Lineage(listing, leases), leases, false);
        watch.look();
        watch.look();
        assertEquals(List.of(0, 1, 1), told);
        assertEquals(1, listings.get());
    }
}
