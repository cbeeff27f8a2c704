package replicator.leases;

import java.time.Duration;
import java.util.AbstractMap.SimpleEntry;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
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
 * Reads and writes the lease table for KCL's parts that take and renew leases.
 *
 * <ul>
 *   <li>Every renewal and every take is told to {@link LeaseTerms}, with the moment before its request.
 *   <li>Leases of finished shards stay in the table for hours. Counted with the others, they would make up a worker's fair
 *       share while it reads nothing, so they are left out here.
 * </ul>
 */
public final class FleetLeaseRefresher extends GuardedLeaseRefresher {
    private static final Logger LOG = LoggerFactory.getLogger(FleetLeaseRefresher.class);

    private final LeaseTerms terms;
    private final LeaseAttempts attempts;
    private final LeaseTableHealth health;
    private final Runnable changed;
    private final TakingTime taking;
    private final LeaseChoice choice;
    private volatile Thread taker;
    private final AtomicLong taken = new AtomicLong();

    private interface Call<T> {
        T make() throws DependencyException, InvalidStateException, ProvisionedThroughputException;
    }

    /**
     * @param client a {@link LeaseTableClient}, which tells {@code attempts} and {@code terms}
     * @param health told how every call ends
     * @param taking asked before each take whether its look may still take one
     * @param changed told of each lease that is created, taken or lost
     * @param choice decides which leases are taken; null where KCL does
     */
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
            LeaseTerms terms,
            LeaseAttempts attempts,
            LeaseTableHealth health,
            TakingTime taking,
            Runnable changed,
            LeaseChoice choice) {
        super(table, client, serializer, consistentReads, tableCreated, requestTimeout, tableConfig, deletionProtection,
                pointInTimeRecovery, tags, gate, changed);
        this.terms = terms;
        this.attempts = attempts;
        this.health = health;
        this.taking = taking;
        this.changed = changed;
        this.choice = choice;
    }

    /** How many leases were taken so far. */
    long taken() {
        return taken.get();
    }

    LeaseTableHealth health() {
        return health;
    }

    TakingTime taking() {
        return taking;
    }

    /** KCL lets what is no answer of DynamoDB's pass as it is, and is surprised by it elsewhere. */
    private <T> T told(String operation, String shardId, Call<T> call)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        try {
            T result = call.make();
            health.works(shardId);
            return result;
        } catch (DependencyException | InvalidStateException | ProvisionedThroughputException e) {
            health.fails(operation, shardId, e);
            throw e;
        } catch (RuntimeException e) {
            health.fails(operation, shardId, e);
            throw new DependencyException(e);
        }
    }

    public static boolean isFinished(Lease lease) {
        return ExtendedSequenceNumber.SHARD_END.equals(lease.checkpoint());
    }

    @Override
    public List<Lease> listLeases() throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        List<Lease> found = unfinished(listAllLeases());
        return choice != null && Thread.currentThread() == taker ? choice.of(found) : found;
    }

    interface Take {
        void run() throws DependencyException, InvalidStateException;
    }

    /** KCL's take: what it lists on this thread is as {@link LeaseChoice} has it. */
    void choosing(Take take) throws DependencyException, InvalidStateException {
        taker = Thread.currentThread();
        try {
            take.run();
        } finally {
            taker = null;
        }
    }

    /** No more leases are taken. */
    void endChoosing() {
        if (choice != null) {
            choice.end();
        }
    }

    /** All leases, those of finished shards too. */
    public List<Lease> listAllLeases() throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        return told("Scan", "", super::listLeases);
    }

    @Override
    public Lease getLease(String shardId)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        Lease found = told("GetItem", shardId, () -> super.getLease(shardId));
        if (found == null || isFinished(found)) { // KCL asks so for the parent of a shard, which may begin now
            changed.run();
        }
        return found;
    }

    @Override
    public Map.Entry<List<Lease>, List<String>> listLeasesParallely(ExecutorService threads, int parallelism)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        Map.Entry<List<Lease>, List<String>> found =
                told("Scan", "", () -> super.listLeasesParallely(threads, parallelism));
        return new SimpleEntry<>(unfinished(found.getKey()), found.getValue());
    }

    private static List<Lease> unfinished(List<Lease> leases) {
        return leases.stream().filter(lease -> !isFinished(lease)).collect(Collectors.toList());
    }

    @Override
    public boolean takeLease(Lease lease, String owner) throws InvalidStateException, ProvisionedThroughputException {
        ChosenLease chosen = lease instanceof ChosenLease ? (ChosenLease) lease : null;
        boolean isKclsChoice = choice != null && (chosen == null || !chosen.isChosen()); // to be even within the task
        if (taking.isOver() || isKclsChoice) {
            return false;
        }
        String shardId = lease.leaseKey();
        String before = lease.leaseOwner();
        long counter = lease.leaseCounter();
        // A lease read anew just before it is stolen has no time of its last renewal.
        boolean fromLiving = before != null
                && !before.equals(owner)
                && (chosen != null ? chosen.wasLiving() : lease.lastCounterIncrementNanos() == null
                        || !lease.isExpired(terms.lengthNanos(), System.nanoTime()));
        LeaseTerms.Moment asked = LeaseTerms.Moment.now();
        try {
            boolean taken = told("UpdateItem", shardId, () -> super.takeLease(lease, owner));
            if (!taken && !owner.equals(before) && isMovedBy(owner, shardId, counter)) {
                noteTaken(lease, owner);
                taken = true;
            }
            if (taken) {
                terms.begin(shardId, movedAt(shardId, counter, asked), fromLiving);
                if (chosen != null) {
                    noteChosen(chosen, before);
                }
                attempts.forget(shardId);
                this.taken.incrementAndGet();
                changed.run();
            }
            return taken;
        } catch (DependencyException e) { // KCL would take no other lease for it, and forget those it has just taken
            LOG.debug("The lease of {} can't be taken now", shardId, e);
            return false;
        }
    }

    /** KCL's own line says that the lease had expired for a long time, for it goes by what we let it see. */
    private void noteChosen(ChosenLease lease, String before) {
        lease.becomesOurs();
        if (lease.wasLiving()) {
            LOG.debug("Took the lease of {} from {}, which still renews it", lease.leaseKey(), before);
            choice.noteMoved(before);
        }
    }

    /** As KCL does where it knows that it has taken a lease. */
    private static void noteTaken(Lease lease, String owner) {
        if (lease.leaseOwner() != null) {
            lease.ownerSwitchesSinceCheckpoint(lease.ownerSwitchesSinceCheckpoint() + 1);
        }
        lease.leaseCounter(lease.leaseCounter() + 1);
        lease.leaseOwner(owner);
        lease.checkpointOwner(null);
        lease.checkpointOwnerTimeoutTimestampMillis(null);
    }

    @Override
    public boolean renewLease(Lease lease)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        String shardId = lease.leaseKey();
        LeaseTerms.Term term = terms.of(shardId);
        if (terms.isSleptThrough(term)) { // others may have gone on without a trace in the lease, as a copy does
            terms.end(shardId, term);
            attempts.forget(shardId);
            return false;
        }
        noteLateAnswer(lease);
        long counter = lease.leaseCounter();
        LeaseTerms.Moment asked = LeaseTerms.Moment.now();
        boolean renewed = told("UpdateItem", shardId, () -> super.renewLease(lease));
        asked = movedAt(shardId, counter, asked);
        attempts.forget(shardId);
        if (!renewed) {
            terms.end(shardId, term);
            changed.run();
        } else if (term == null) {
            // Ours from an earlier start, or assigned to us. Taken and not checkpointed since, its last owner may yet write.
            terms.begin(shardId, asked, lease.ownerSwitchesSinceCheckpoint() > 0);
        } else {
            terms.extend(shardId, term, asked);
        }
        return renewed;
    }

    /** A checkpoint. KCL takes a refused one for the loss of the lease, also where its own earlier request was late. */
    @Override
    public boolean updateLease(Lease lease)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        String shardId = lease.leaseKey();
        noteLateAnswer(lease);
        long counter = lease.leaseCounter();
        boolean updated = told("UpdateItem", shardId, () -> super.updateLease(lease));
        if (!updated && isMovedBy(lease.actualOwner(), shardId, counter)) {
            lease.leaseCounter(counter + 1);
            updated = told("UpdateItem", shardId, () -> super.updateLease(lease));
        }
        attempts.forget(shardId);
        return updated;
    }

    /** An update that nobody waited for any longer was done: the lease is as its answer said. */
    private void noteLateAnswer(Lease lease) {
        LeaseTerms.Moment landed = attempts.landedAt(lease.leaseKey(), lease.leaseCounter());
        if (landed != null) {
            lease.leaseCounter(lease.leaseCounter() + 1);
            lease.lastCounterIncrementNanos(landed.nanos());
            attempts.forget(lease.leaseKey());
        }
    }

    /** Whether an update of ours whose answer was lost moved the row on: nobody else does, and leaves it to its owner. */
    private boolean isMovedBy(String owner, String shardId, long counter)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        Lease found = getLease(shardId);
        return found != null && owner != null && owner.equals(found.leaseOwner()) && found.leaseCounter() == counter + 1;
    }

    /**
     * The moment from which others count the lease's time: before the request that moved its counter. Where its answer was
     * lost it may have been any of those made at this counter, so the first.
     */
    private LeaseTerms.Moment movedAt(String shardId, long counter, LeaseTerms.Moment asked) {
        LeaseTerms.Moment landed = attempts.landedAt(shardId, counter);
        LeaseTerms.Moment first = attempts.firstAt(shardId, counter);
        return landed != null ? landed : first != null ? first : asked;
    }
}
