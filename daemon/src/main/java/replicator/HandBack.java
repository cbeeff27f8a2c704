package replicator;

import java.util.Collection;
import java.util.Set;
import java.util.stream.Collectors;
import replicator.leases.FleetLeaseCoordinator;
import replicator.leases.LeaseTerms;
import replicator.log.Event;
import replicator.process.DispatchTurns;
import replicator.shard.Children;
import replicator.shard.Holds;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.multilang.config.MultiLangDaemonConfiguration;

/** The end of a task: children finish the batch in hand and checkpoint it, then their leases are given back. */
final class HandBack {
    private final Scheduler scheduler;
    private final FleetLeaseCoordinator coordinator;
    private final LeaseTerms terms;
    private final Children children;
    private final Holds holds;
    private final DispatchTurns turns;
    private final MultiLangDaemonConfiguration configuration;
    private volatile boolean abandoned;

    /** @param configuration with the worker id that the leases bear */
    HandBack(
            Scheduler scheduler,
            LeaseTerms terms,
            Children children,
            Holds holds,
            DispatchTurns turns,
            MultiLangDaemonConfiguration configuration) {
        this.scheduler = scheduler;
        this.coordinator = (FleetLeaseCoordinator) scheduler.leaseCoordinator();
        this.terms = terms;
        this.children = children;
        this.holds = holds;
        this.turns = turns;
        this.configuration = configuration;
    }

    /** Returns when all is given back. */
    void run() {
        turns.stop();
        coordinator.stopLeaseTaker();
        Collection<Lease> held = coordinator.getAssignments();
        // A held shard's child may be at its next try: others begin when the lease is over.
        Set<String> begun = held.stream().map(Lease::leaseKey)
                .filter(shardId -> terms.waitNanos(shardId) <= 0 && !holds.isHeld(shardId)).collect(Collectors.toSet());
        // KCL would wait for an answer of shards that never began, as those waiting for their parents, or can't go on.
        for (Lease lease : held) {
            if (!children.isStarted(lease.leaseKey()) || holds.isHeld(lease.leaseKey())) {
                coordinator.dropLease(lease);
            }
        }
        try {
            scheduler.createGracefulShutdownCallable().call(); // here: KCL's own thread would be one of Java's common pool
        } catch (Exception e) {
            throw new IllegalStateException("KCL's graceful shutdown failed", e);
        }
        if (!abandoned) {
            release(begun);
        }
    }

    /** Has KCL end without what it waited for, if it has not ended. */
    void abandon() {
        abandoned = true;
        scheduler.shutdown();
    }

    /**
     * KCL leaves its leases to expire, even after a clean stop; without an owner the next worker takes them at once, and
     * begins at once. So a lease just taken from a living worker, which may still write, is left to expire.
     */
    private void release(Set<String> begun) {
        if (begun.isEmpty()) { // then a lease table that doesn't answer keeps nothing from anybody
            return;
        }
        LeaseRefresher leases = coordinator.leaseRefresher();
        try {
            for (Lease lease : leases.listLeases()) {
                if (configuration.getWorkerIdentifier().equals(lease.leaseOwner()) && begun.contains(lease.leaseKey())) {
                    leases.evictLease(lease);
                }
            }
        } catch (Exception e) {
            Event.warning("leases_kept").with("error", e.toString()).with("over_ms", configuration.getFailoverTimeMillis())
                    .note("Stopped cleanly, but the leases could not be given back: others take these shards when the "
                            + "leases are over.");
        }
    }
}
