package replicator.leases;

import java.lang.reflect.Field;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import replicator.process.DaemonThreads;
import replicator.process.DispatchTurns;
import replicator.process.TaskThreads;
import software.amazon.kinesis.coordinator.MigrationAdaptiveLeaseAssignmentModeProvider;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.leases.ShardInfo;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseCoordinator;
import software.amazon.kinesis.leases.exceptions.DependencyException;
import software.amazon.kinesis.leases.exceptions.InvalidStateException;
import software.amazon.kinesis.leases.exceptions.ProvisionedThroughputException;
import software.amazon.kinesis.lifecycle.ShardConsumer;
import software.amazon.kinesis.metrics.MetricsFactory;

/**
 * KCL's coordinator of leases, which looks for leases to take more often, and lets those of finished shards go.
 *
 * <p>KCL looks every two failover times, and needs two looks to see that a lease is not renewed: a dead worker's shards
 * could wait for four failover times. A look is a scan of the lease table; here {@link TakePace} says how often one is
 * made, which finds a dead worker within one failover time and two looks.
 */
public final class FleetLeaseCoordinator extends DynamoDBLeaseCoordinator {
    private static final long LOOK_MILLIS = 1_000;

    /** KCL's shutdown of a finished shard's consumer is through long before. */
    private static final long FINISHED_MILLIS = 10_000;

    /** A lease's lock is held for three calls of a fifth of the failover time at most, and rounds begin every third. */
    private static final int MOST_ROUNDS = 4;

    /** KCL's pool of renewing threads never grows beyond a quarter of the most that it may have. */
    private static final int THREADS_KEPT_OF = 4;

    /** The names of KCL's fields. */
    private static final List<String> KCLS_POOLS = List.of("leaseRenewalThreadpool", "leaseDiscoveryThreadPool");

    private static final Logger LOG = LoggerFactory.getLogger(FleetLeaseCoordinator.class);

    private final LeaseTerms terms;
    private final DispatchTurns turns;
    private final FleetLeaseRefresher leases;
    private final boolean countingLeases;
    private final TakePace pace;
    private final LeaseTableHealth health;
    private final Map<String, Long> finishedSince = new HashMap<>();
    private final ScheduledExecutorService threads =
            TaskThreads.timers("fleet-leases", 3);
    private final ExecutorService rounds = TaskThreads.pool("renewal-round");
    private final AtomicInteger open = new AtomicInteger();
    private final ReentrantLock take = new ReentrantLock();
    private volatile boolean taking = true;
    private boolean isMoving;

    /** @param choosing whether {@code leases} says which leases are taken, and KCL doesn't */
    FleetLeaseCoordinator(
            FleetLeaseRefresher leases,
            LeaseManagementConfig config,
            MetricsFactory metrics,
            ConcurrentMap<ShardInfo, ShardConsumer> consumers,
            LeaseTerms terms,
            DispatchTurns turns,
            boolean countingLeases,
            boolean choosing) {
        super(leases, config.workerIdentifier(), config.failoverTimeMillis(),
                choosing || config.enablePriorityLeaseAssignment(),
                config.epsilonMillis(), config.maxLeasesForWorker(), config.maxLeasesToStealAtOneTime(),
                THREADS_KEPT_OF * config.maxLeaseRenewalThreads(), config.initialLeaseTableReadCapacity(),
                config.initialLeaseTableWriteCapacity(), metrics, config.workerUtilizationAwareAssignmentConfig(),
                config.gracefulLeaseHandoffConfig(), consumers, config.leaseAssignmentIntervalMillis());
        this.terms = terms;
        this.turns = turns;
        this.leases = leases;
        this.health = leases.health();
        this.countingLeases = countingLeases;
        this.pace = new TakePace(turns, config.failoverTimeMillis(), System::nanoTime);
        for (String pool : KCLS_POOLS) {
            makesThreadsOfTask(pool);
        }
    }

    /**
     * To be called by a thread of no task, before there are tasks. KCL makes threads by factories of its class's, and these make
     * them for good in the group of whoever used the class first: with that task's end the threads of all others would be
     * interrupted, and where nothing else is left of that task, no other could begin.
     */
    public static void load() {
        try {
            Class.forName(DynamoDBLeaseCoordinator.class.getName());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException("it is there", e);
        }
    }

    /** So that what they have to say is the task's, and they end with it; KCL has no other way to say so. */
    private void makesThreadsOfTask(String pool) {
        try {
            Field field = DynamoDBLeaseCoordinator.class.getDeclaredField(pool);
            field.setAccessible(true);
            ((ThreadPoolExecutor) field.get(this)).setThreadFactory(new DaemonThreads(pool));
        } catch (ReflectiveOperationException | ClassCastException e) {
            LOG.debug("Another KCL: its threads are the process's", e);
        }
    }

    @Override
    public void start(MigrationAdaptiveLeaseAssignmentModeProvider mode)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        super.start(mode);
        threads.schedule(this::look, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        threads.scheduleWithFixedDelay( // apart, for a look may hang while the table is away
                () -> terms.endLost(shardId -> getCurrentlyHeldLease(shardId) != null, this::drop),
                LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        threads.scheduleWithFixedDelay(health::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /**
     * KCL's round of renewals ends with the slowest of them, and the next would wait for it; so each begins in its time. A
     * lease whose call is under way holds up its own renewal in each, and no other's.
     */
    @Override
    public void runLeaseRenewer() {
        if (open.incrementAndGet() > MOST_ROUNDS) { // each has a thread waiting for every lease that is held up
            open.decrementAndGet();
            return;
        }
        rounds.execute(() -> {
            try {
                super.runLeaseRenewer();
            } catch (DependencyException | InvalidStateException | RuntimeException e) { // the table's health is told of it
                LOG.debug("Not every lease could be renewed", e);
            } finally {
                open.decrementAndGet();
            }
        });
    }

    /** KCL's thread begins each of its turns with it. */
    @Override
    public List<ShardInfo> getCurrentAssignments() {
        turns.begin();
        return super.getCurrentAssignments();
    }

    private void drop(String shardId) {
        Lease lease = new Lease();
        lease.leaseKey(shardId);
        dropLease(lease);
    }

    @Override
    public void dropLease(Lease lease) {
        super.dropLease(lease);
        if (lease != null) {
            terms.end(lease.leaseKey(), terms.of(lease.leaseKey()));
            turns.wake();
        }
    }

    /** The shards that this worker reads: KCL's assignments without the finished ones. */
    public Collection<Lease> reading() {
        return getAssignments().stream()
                .filter(lease -> !FleetLeaseRefresher.isFinished(lease))
                .collect(Collectors.toList());
    }

    @Override
    public void runLeaseTaker() throws DependencyException, InvalidStateException {
        take.lock();
        try {
            if (taking) {
                long before = leases.taken();
                leases.taking().begin();
                leases.choosing(super::runLeaseTaker);
                if (leases.taken() != before) {
                    turns.wake(); // KCL knows of them only now
                }
            }
        } finally {
            take.unlock();
        }
    }

    /** Waits for a take under way, but for no table that is away: a shard that only begins would hold up a stop. */
    @Override
    public void stopLeaseTaker() {
        taking = false;
        leases.endChoosing();
        try {
            if (take.tryLock(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                take.unlock();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        super.stopLeaseTaker();
    }

    @Override
    public void stop() {
        taking = false;
        leases.endChoosing();
        threads.shutdown();
        super.stop();
        rounds.shutdown();
    }

    private void look() {
        if (health.isScanFailing() || pace.isDue()) {
            lookNow();
        }
        if (!threads.isShutdown()) {
            threads.schedule(this::look, pauseMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private long pauseMillis() {
        boolean hasLeft = taking && leases.taking().hasLeft();
        return hasLeft ? 0 : pace.pauseMillis(allLeases().size(), isMoving);
    }

    private void lookNow() {
        pace.begin();
        long before = leases.taken();
        try {
            if (countingLeases) {
                runLeaseTaker();
            }
            dropFinished();
            pace.end(allLeases(), workerIdentifier(), shardId -> getCurrentlyHeldLease(shardId) != null);
        } catch (DependencyException | InvalidStateException e) { // the table's health is told of it
            LOG.debug("No lease can be taken now", e);
        } catch (RuntimeException e) { // looks must go on
            health.fails("Scan", "", e);
        }
        isMoving = leases.taken() != before;
    }

    /** KCL would renew them for as long as this process lives: a write a second for each shard that ever ended here. */
    private void dropFinished() {
        long now = System.currentTimeMillis();
        Map<String, Lease> finished = getAssignments().stream()
                .filter(FleetLeaseRefresher::isFinished)
                .collect(Collectors.toMap(Lease::leaseKey, lease -> lease));
        finishedSince.keySet().retainAll(finished.keySet());
        finished.forEach((shardId, lease) -> {
            if (now - finishedSince.computeIfAbsent(shardId, id -> now) > FINISHED_MILLIS) {
                dropLease(lease);
                LOG.debug("Let the lease of finished shard {} go", shardId);
            }
        });
    }
}
