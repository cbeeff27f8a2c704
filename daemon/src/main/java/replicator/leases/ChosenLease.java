package replicator.leases;

import software.amazon.kinesis.leases.Lease;

/**
 * A lease as KCL's taker is to see it, where {@link Placement} has decided which leases are taken: one that is to be taken
 * was renewed long ago, and any other just now.
 *
 * <p>KCL takes leases that nobody has renewed for three failover times first, all of them and whatever its own count says
 * (enablePriorityLeaseAssignment); that is what these are to it. What is true of the lease is in {@link #wasLiving}.
 */
final class ChosenLease extends Lease {
    /** Longer than three of any failover time that makes sense, and shorter than the year that KCL takes for an overflow. */
    private static final long LONG_AGO_NANOS = 30L * 24 * 3600 * 1_000_000_000;

    private final boolean isChosen;
    private final boolean wasLiving;
    private boolean isTaken;

    /**
     * @param lease as it is in the table
     * @param isChosen whether it is to be taken
     * @param wasLiving whether its owner renews it, and may write until its term is over
     */
    ChosenLease(Lease lease, boolean isChosen, boolean wasLiving) {
        super(lease);
        checkpointOwner(lease.checkpointOwner());
        checkpointOwnerTimeoutTimestampMillis(lease.checkpointOwnerTimeoutTimestampMillis());
        this.isChosen = isChosen;
        this.wasLiving = wasLiving;
    }

    boolean isChosen() {
        return isChosen;
    }

    boolean wasLiving() {
        return wasLiving;
    }

    /** It is ours: from now on its time is what KCL sets. */
    void becomesOurs() {
        isTaken = true;
    }

    @Override
    public Long lastCounterIncrementNanos() {
        if (isTaken) {
            return super.lastCounterIncrementNanos();
        }
        return System.nanoTime() - (isChosen ? LONG_AGO_NANOS : 0);
    }

    @Override
    public boolean isAvailable(long leaseDurationNanos, long asOfNanos) {
        return isChosen && !isTaken;
    }
}
