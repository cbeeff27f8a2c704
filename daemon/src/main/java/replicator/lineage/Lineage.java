package replicator.lineage;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import replicator.leases.FleetLeaseRefresher;
import replicator.stream.StreamListing;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/**
 * Finds the stream's shards that lack a lease which they ought to have; {@code processor/state/status/lineage.py} has the same
 * rules.
 *
 * <pre>
 * a listed shard without a lease                                  is
 * --------------------------------------------------------------  ------------------------------------------------
 * all shards after it are finished, or lack theirs rightly        read to its end: {@code LeaseGate} removes those
 * no shard after it is begun                                      unread: its lease is to be made
 * a shard after it is begun, and not all of them are finished     of unknown end: somebody removed its lease
 * </pre>
 *
 * <p>So it is whatever {@code initialPositionInStream} is: every shard is read from its oldest record ({@code FirstStart}).
 */
final class Lineage {
    private final StreamListing listing;
    private final Map<String, Lease> leases;

    /** Shards all of whose next ones are finished, or lack their leases rightly. */
    private final Set<String> settled = new HashSet<>();

    /** Shards before one that is begun; those between have no leases. */
    private final Set<String> aboveBegun = new HashSet<>();
    private final Set<String> unread = new TreeSet<>();
    private final Set<String> ofUnknownEnd = new TreeSet<>();

    Lineage(StreamListing listing, Map<String, Lease> leases) {
        this.listing = listing;
        this.leases = leases;
        List<Shard> oldestFirst = listing.shards();
        for (int i = oldestFirst.size() - 1; i >= 0; i--) { // children first; to ask each child in turn could take any depth
            lookBelow(oldestFirst.get(i).shardId());
        }
        oldestFirst.stream().filter(shard -> !leases.containsKey(shard.shardId())).forEach(this::sort);
    }

    private void lookBelow(String shardId) {
        Set<String> children = listing.childrenOf(shardId);
        if (!children.isEmpty() && children.stream().allMatch(child ->
                leases.containsKey(child) ? FleetLeaseRefresher.isFinished(leases.get(child)) : settled.contains(child))) {
            settled.add(shardId);
        }
        if (children.stream().anyMatch(child ->
                leases.containsKey(child) ? isBegun(leases.get(child)) : aboveBegun.contains(child))) {
            aboveBegun.add(shardId);
        }
    }

    private void sort(Shard shard) {
        String shardId = shard.shardId();
        if (settled.contains(shardId)) {
            return;
        }
        if (aboveBegun.contains(shardId)) {
            ofUnknownEnd.add(shardId);
        } else if (!listing.childrenOf(shardId).isEmpty() || !isUnfinished(shard.parentShardId())) {
            unread.add(shardId); // else it gets its lease when its parent ends
        }
    }

    Set<String> unread() {
        return unread;
    }

    Set<String> ofUnknownEnd() {
        return ofUnknownEnd;
    }

    static boolean isBegun(Lease lease) {
        ExtendedSequenceNumber checkpoint = lease.checkpoint();
        return checkpoint != null
                && !ExtendedSequenceNumber.TRIM_HORIZON.equals(checkpoint)
                && !ExtendedSequenceNumber.LATEST.equals(checkpoint);
    }

    private boolean isUnfinished(String shardId) {
        Lease lease = shardId == null ? null : leases.get(shardId);
        return lease != null && !FleetLeaseRefresher.isFinished(lease);
    }
}
