package replicator.lineage;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import replicator.leases.FleetLeaseRefresher;
import replicator.log.Event;
import replicator.stream.StreamListing;
import replicator.stream.StreamListings;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.kinesis.common.HashKeyRangeForLease;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.exceptions.DependencyException;
import software.amazon.kinesis.leases.exceptions.InvalidStateException;
import software.amazon.kinesis.leases.exceptions.ProvisionedThroughputException;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/** Makes leases anew that somebody removed. A lease that exists is never touched: each write has a condition. */
public final class MissingLeases {
    private static final Logger LOG = LoggerFactory.getLogger(MissingLeases.class);

    private final StreamListings listings;
    private final FleetLeaseRefresher leases;
    private final Consumer<Lease> drop;

    /**
     * @param drop gives a lease of this daemon's up
     */
    public MissingLeases(StreamListings listings, FleetLeaseRefresher leases, Consumer<Lease> drop) {
        this.listings = listings;
        this.leases = leases;
        this.drop = drop;
    }

    /**
     * Lets a shard begin only where those before it are finished, or are no longer in the stream. KCL goes on without a
     * parent that has no lease, read or not, and without one that the listing lacked which the shard's lease was made by.
     *
     * @throws IllegalStateException if it must wait: its lease is given up, so that KCL looks for its parents again
     * @throws RuntimeException if it can't be known now
     */
    public void checkParents(String shardId, ExtendedSequenceNumber checkpoint) {
        if (!ExtendedSequenceNumber.TRIM_HORIZON.equals(checkpoint)) {
            return;
        }
        try {
            Lease own = leases.getLease(shardId);
            if (own == null) {
                throw new IllegalStateException("shard " + shardId + " has no lease");
            }
            StreamListing listing = listings.look();
            Set<String> parents = new TreeSet<>(own.parentShardIds());
            if (listing.has(shardId) && listing.shard(shardId).parentShardId() != null) {
                parents.add(listing.shard(shardId).parentShardId());
            }
            for (String parent : parents) {
                if (mustBeReadFirst(parent, listing)) {
                    drop.accept(own);
                    throw new IllegalStateException("shard " + parent + " must be read before " + shardId);
                }
            }
        } catch (DependencyException | InvalidStateException | ProvisionedThroughputException e) {
            throw new IllegalStateException("The leases of the shards before " + shardId + " can't be read", e);
        }
    }

    private boolean mustBeReadFirst(String parent, StreamListing listing)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        Lease lease = leases.getLease(parent);
        if (lease != null) {
            return !FleetLeaseRefresher.isFinished(lease);
        }
        Map<String, Lease> all = all(); // no single answer is believed
        if (all.containsKey(parent)) {
            return !FleetLeaseRefresher.isFinished(all.get(parent));
        }
        if (!new Lineage(listing, all).unread().contains(parent)) {
            return false; // a shard of days ago; or one beside ours is begun already, and ShardWatch says what that means
        }
        makeUnread(listing.shard(parent));
        return true;
    }

    private Map<String, Lease> all() throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        return leases.listAllLeases().stream().collect(Collectors.toMap(Lease::leaseKey, lease -> lease));
    }

    /** Has a listed shard read from its oldest record, before those after it. */
    void makeUnread(Shard shard) throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        if (make(shard, ExtendedSequenceNumber.TRIM_HORIZON)) {
            Event.notice("lease_made").with("shard", shard.shardId()).with("checkpoint", "TRIM_HORIZON")
                    .note("The shard had no lease, and no shard after it was begun: it is read first, from its oldest record.");
        }
    }

    /** Lets the shards after it go on. */
    void makeFinished(Shard shard) throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        make(shard, ExtendedSequenceNumber.SHARD_END);
    }

    /**
     * The row of a shard that this daemon read may have been removed from the table: then it is made anew, and the shard goes
     * on from where it was. But not where shards after it are begun: others may have finished it while this machine slept.
     *
     * @param checkpoint the shard's last
     */
    public void restore(String shardId, ExtendedSequenceNumber checkpoint) {
        try {
            if (leases.getLease(shardId) != null) {
                return;
            }
            StreamListing listing = listings.look();
            boolean isUnread = new Lineage(listing, all()).unread().contains(shardId);
            if (isUnread && make(listing.shard(shardId), checkpoint)) {
                Event.warning("lease_restored").with("shard", shardId).with("checkpoint", checkpoint.sequenceNumber())
                        .note("Somebody removed the shard's row from the checkpoint table while it was read. It was made anew, "
                                + "and the shard goes on from where it was: nothing is lost.");
            }
        } catch (Exception e) { // one of the tables is away; the shard watch makes a lease that is missing later
            LOG.debug("Whether the lease of shard {} is there can't be known", shardId, e);
        }
    }

    private boolean make(Shard shard, ExtendedSequenceNumber checkpoint)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        Lease lease = new Lease();
        lease.leaseKey(shard.shardId());
        lease.parentShardIds(shard.parentShardId() == null ? List.of() : List.of(shard.parentShardId()));
        lease.checkpoint(checkpoint);
        lease.ownerSwitchesSinceCheckpoint(0L);
        lease.hashKeyRange(HashKeyRangeForLease.deserialize("0", "1")); // as the adapter has it
        return leases.createLeaseIfNotExists(lease);
    }
}
