package software.amazon.kinesis.multilang.config;

import java.time.Duration;
import java.util.AbstractMap.SimpleEntry;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.Tag;
import software.amazon.kinesis.common.DdbTableConfig;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseSerializer;
import software.amazon.kinesis.leases.dynamodb.TableCreatorCallback;
import software.amazon.kinesis.leases.exceptions.DependencyException;
import software.amazon.kinesis.leases.exceptions.InvalidStateException;
import software.amazon.kinesis.leases.exceptions.ProvisionedThroughputException;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/**
 * The lease table as the taking and the renewing of leases see it.
 *
 * <ul>
 *   <li>Every renewal and every take is told to {@link LeaseTerms}, with the moment before its request.
 *   <li>Leases of finished shards stay in the table for hours. Counted with the others, they would make up a worker's fair
 *       share while it reads nothing, so here they are not there.
 * </ul>
 */
final class FleetLeaseRefresher extends GuardedLeaseRefresher {
    private final LeaseTerms terms;

    /**
     * When requests were made that have no answer. Such a one may have moved the lease's counter, which KCL takes for the
     * success of the next renewal; others count the lease's time from then.
     */
    private final Map<String, LeaseTerms.Moment> unanswered = new ConcurrentHashMap<>();

    FleetLeaseRefresher(
            String table,
            DynamoDbAsyncClient client,
            LeaseSerializer serializer,
            boolean consistentReads,
            TableCreatorCallback tableCreated,
            Duration requestTimeout,
            DdbTableConfig tableConfig,
            boolean deletionProtection,
            boolean pointInTimeRecovery,
            Collection<Tag> tags,
            LeaseGate gate,
            LeaseTerms terms) {
        super(table, client, serializer, consistentReads, tableCreated, requestTimeout, tableConfig, deletionProtection,
                pointInTimeRecovery, tags, gate);
        this.terms = terms;
    }

    static boolean isFinished(Lease lease) {
        return ExtendedSequenceNumber.SHARD_END.equals(lease.checkpoint());
    }

    @Override
    public List<Lease> listLeases() throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        return unfinished(super.listLeases());
    }

    /** All leases, those of finished shards too. */
    List<Lease> listAllLeases() throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        return super.listLeases();
    }

    @Override
    public Map.Entry<List<Lease>, List<String>> listLeasesParallely(ExecutorService threads, int parallelism)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        Map.Entry<List<Lease>, List<String>> found = super.listLeasesParallely(threads, parallelism);
        return new SimpleEntry<>(unfinished(found.getKey()), found.getValue());
    }

    private static List<Lease> unfinished(List<Lease> leases) {
        return leases.stream().filter(lease -> !isFinished(lease)).collect(Collectors.toList());
    }

    @Override
    public boolean takeLease(Lease lease, String owner)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        // A lease read anew just before it is stolen has no time of its last renewal.
        boolean fromLiving = lease.leaseOwner() != null
                && !lease.leaseOwner().equals(owner)
                && (lease.lastCounterIncrementNanos() == null
                        || !lease.isExpired(terms.lengthNanos(), System.nanoTime()));
        LeaseTerms.Moment asked = LeaseTerms.Moment.now();
        boolean taken = super.takeLease(lease, owner);
        if (taken) {
            terms.begin(lease.leaseKey(), asked, fromLiving);
        }
        return taken;
    }

    @Override
    public boolean renewLease(Lease lease)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        String shardId = lease.leaseKey();
        LeaseTerms.Term term = terms.of(shardId);
        if (terms.isSleptThrough(term)) { // others may have gone on without a trace in the lease, as a copy does
            terms.end(shardId, term);
            return false;
        }
        LeaseTerms.Moment asked = LeaseTerms.Moment.now();
        boolean renewed;
        try {
            renewed = super.renewLease(lease);
        } catch (Exception e) {
            unanswered.putIfAbsent(shardId, asked);
            throw e;
        }
        LeaseTerms.Moment earlier = unanswered.remove(shardId);
        asked = earlier == null ? asked : earlier;
        if (!renewed) {
            terms.end(shardId, term);
        } else if (term == null) {
            // Ours from an earlier start, or assigned to us. Taken and not checkpointed since, its last owner may yet write.
            terms.begin(shardId, asked, lease.ownerSwitchesSinceCheckpoint() > 0);
        } else {
            terms.extend(shardId, term, asked);
        }
        return renewed;
    }

    @Override
    public boolean updateLease(Lease lease)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        LeaseTerms.Moment asked = LeaseTerms.Moment.now();
        try {
            return super.updateLease(lease);
        } catch (Exception e) {
            unanswered.putIfAbsent(lease.leaseKey(), asked);
            throw e;
        }
    }
}
