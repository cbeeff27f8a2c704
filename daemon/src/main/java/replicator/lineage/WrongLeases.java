package replicator.lineage;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import replicator.leases.FleetLeaseRefresher;
import replicator.log.Event;
import replicator.stream.HeldShardException;
import replicator.stream.Losses;
import replicator.stream.StreamListing;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.exceptions.DependencyException;
import software.amazon.kinesis.leases.exceptions.InvalidStateException;
import software.amazon.kinesis.leases.exceptions.ProvisionedThroughputException;

/**
 * Finds leases that can't be right, wherever they come from, and mends what can be mended. Two looks, some time apart, must
 * agree, for either table may have given a wrong answer once.
 */
public final class WrongLeases {
    private final MissingLeases missing;
    private final Losses losses;
    private final Set<String> saidOf = new HashSet<>();
    private final Set<String> held = new HashSet<>();
    private Set<String> before = Set.of();
    private int finishedButOpen;

    public WrongLeases(MissingLeases missing, Losses losses) {
        this.missing = missing;
        this.losses = losses;
    }

    /** @param speaks whether this daemon is the one of the fleet that says and mends things */
    void look(StreamListing listing, Lineage lineage, Map<String, Lease> leases, boolean speaks)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        Set<String> finished = finishedButOpen(listing, leases);
        Set<String> found = new TreeSet<>(finished);
        found.addAll(lineage.unread());
        found.addAll(lineage.ofUnknownEnd());
        Set<String> agreed = new TreeSet<>(found);
        agreed.retainAll(before);
        before = found;
        finished.retainAll(agreed);
        finishedButOpen = finished.size();
        saidOf.retainAll(finished);
        held.stream().filter(shardId -> !lineage.ofUnknownEnd().contains(shardId)).forEach(losses::forget);
        held.retainAll(lineage.ofUnknownEnd());
        if (!speaks) {
            return;
        }
        finished.stream().filter(saidOf::add).forEach(WrongLeases::sayFinishedButOpen);
        for (String shardId : agreed) {
            if (lineage.ofUnknownEnd().contains(shardId)) {
                ofUnknownEnd(listing.shard(shardId));
            } else if (lineage.unread().contains(shardId) && !listing.childrenOf(shardId).isEmpty()) {
                missing.makeUnread(listing.shard(shardId)); // which KCL's shard sync does not make
            }
        }
    }

    /** How many open shards have leases that say that they are finished. */
    int finishedButOpen() {
        return finishedButOpen;
    }

    private static Set<String> finishedButOpen(StreamListing listing, Map<String, Lease> leases) {
        return leases.values().stream()
                .filter(FleetLeaseRefresher::isFinished)
                .map(Lease::leaseKey)
                .filter(shardId -> listing.isOpen(shardId) && !listing.isDisabled())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static void sayFinishedButOpen(String shardId) {
        Event.error("shard_finished_early").with("shard", shardId)
                .note("The shard's lease says that it is read to its end, but it still takes records: nobody reads them, and they "
                        + "are lost when they are 24 hours old. Delete the shard's row (its leaseKey is the shard's id) from the "
                        + "checkpoint table: within a minute it is read again, from its oldest record, to the same end.");
    }

    private void ofUnknownEnd(Shard shard)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        held.add(shard.shardId());
        try {
            losses.hold(shard.shardId(), "", "Shard " + shard.shardId() + ": its row was removed from the checkpoint table while "
                    + "shards after it are being read, so whether it was read to its end is not known. Changes of it may be "
                    + "lost.");
        } catch (HeldShardException e) {
            return; // it is said
        }
        missing.makeFinished(shard);
    }
}
