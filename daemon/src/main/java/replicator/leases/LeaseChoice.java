package replicator.leases;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import software.amazon.kinesis.leases.Lease;

/**
 * One task's leases, as this daemon has seen them change, and which of them it is to take.
 *
 * <p>Rows carry no time. A lease is living while its counter moves: one that has not moved within a failover time is not
 * renewed, as KCL has it.
 */
public final class LeaseChoice {
    private final Placement placement;
    private final String stream;
    private final long failoverNanos;
    private final LongSupplier nanos;
    private final Map<String, Seen> seen = new HashMap<>();
    private boolean hasEnded;

    /**
     * @param stream which the task reads
     * @param nanos the clock, as {@code System.nanoTime} is one
     */
    LeaseChoice(Placement placement, String stream, long failoverNanos, LongSupplier nanos) {
        this.placement = placement;
        this.stream = stream;
        this.failoverNanos = failoverNanos;
        this.nanos = nanos;
    }

    /** A lease as it was seen last. */
    static final class Seen {
        private final String owner;
        private final Long counter;
        private final long movedNanos;
        private final boolean isLiving;
        private final long sinceNanos;

        private Seen(String owner, Long counter, long movedNanos, boolean isLiving, long sinceNanos) {
            this.owner = owner;
            this.counter = counter;
            this.movedNanos = movedNanos;
            this.isLiving = isLiving;
            this.sinceNanos = sinceNanos;
        }

        /** Null where there is none. */
        String owner() {
            return owner;
        }

        /** Whether the owner renews it. */
        boolean isLiving() {
            return isLiving;
        }

        /** Since when this owner has it or, where nobody renews it, since when that is so. */
        long sinceNanos() {
            return sinceNanos;
        }

        /** Whether the same daemon has it, or nobody does. */
        boolean isAs(Seen other) {
            return isAs(other.owner, other.isLiving);
        }

        private boolean isAs(String owner, boolean isLiving) {
            return this.isLiving == isLiving && (owner == null ? this.owner == null : owner.equals(this.owner));
        }
    }

    String stream() {
        return stream;
    }

    long failoverNanos() {
        return failoverNanos;
    }

    /**
     * One look at the table.
     *
     * @param found the leases of all shards that are not finished
     * @return the same, each as KCL is to see it
     */
    synchronized List<Lease> of(List<Lease> found) {
        if (hasEnded) { // a look that was under way then must not bring the task back
            return List.of();
        }
        long now = nanos.getAsLong();
        seen.keySet().retainAll(found.stream().map(Lease::leaseKey).collect(Collectors.toSet()));
        found.forEach(lease -> seen.compute(lease.leaseKey(), (shardId, before) -> look(lease, before, now)));
        Set<String> chosen = placement.choose(this, Map.copyOf(seen));
        return found.stream()
                .map(lease -> new ChosenLease(lease, chosen.contains(lease.leaseKey()), seen.get(lease.leaseKey()).isLiving))
                .collect(Collectors.toList());
    }

    private Seen look(Lease lease, Seen before, long now) {
        boolean hasMoved = before == null || !before.counter.equals(lease.leaseCounter());
        long moved = hasMoved ? now : before.movedNanos;
        boolean isLiving = lease.leaseOwner() != null && now - moved <= failoverNanos;
        boolean isAsBefore = before != null && before.isAs(lease.leaseOwner(), isLiving);
        return new Seen(lease.leaseOwner(), lease.leaseCounter(), moved, isLiving, isAsBefore ? before.sinceNanos : now);
    }

    /** The task takes no more leases. */
    synchronized void end() {
        hasEnded = true;
        placement.forget(this);
    }

    /** A lease was taken from a living daemon. */
    void noteMoved(String owner) {
        placement.noteMoved(owner);
    }
}
