package replicator.leases;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import replicator.stream.StreamListing;
import replicator.stream.StreamListings;
import software.amazon.kinesis.leases.Lease;

/**
 * Decides whether a lease may be removed from the checkpoint table. KCL and the adapter ask for that where one answer to
 * DescribeStream lacks a shard, and a lease that is gone takes its checkpoint with it.
 *
 * <p>Only the lease of a finished shard goes: where all children of the shard are finished too, or where complete listings,
 * three minutes apart, no longer have it. So a listed shard without a lease, before a shard that is not finished, was not
 * removed from here ({@code Lineage}).
 */
public final class LeaseGate {
    private static final long APART_MILLIS = TimeUnit.MINUTES.toMillis(3);
    private static final Logger LOG = LoggerFactory.getLogger(LeaseGate.class);

    private final StreamListings listings;
    private final LongSupplier clock;
    private final Map<String, Long> absentSince = new ConcurrentHashMap<>();

    /** @param clock milliseconds that never go back */
    public LeaseGate(StreamListings listings, LongSupplier clock) {
        this.listings = listings;
        this.clock = clock;
        listings.tell(listing -> absentSince.keySet().removeIf(listing::has));
    }

    /**
     * @param stored as it is in the table now
     * @param isFinished whether a shard has a lease that says that it is finished
     */
    boolean mayRemove(Lease stored, Predicate<String> isFinished) {
        if (!FleetLeaseRefresher.isFinished(stored)) {
            return false;
        }
        String shardId = stored.leaseKey();
        try {
            StreamListing listing = listings.look();
            if (listing.has(shardId)) {
                Set<String> children = listing.childrenOf(shardId);
                return !children.isEmpty() && children.stream().allMatch(isFinished);
            }
        } catch (RuntimeException e) {
            LOG.debug("The lease of shard {} stays: the stream can't be listed", shardId, e);
            return false;
        }
        long now = clock.getAsLong();
        Long since = absentSince.putIfAbsent(shardId, now);
        return since != null && now - since >= APART_MILLIS;
    }
}
