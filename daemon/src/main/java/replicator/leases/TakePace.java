package replicator.leases;

import java.util.Collection;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import replicator.process.DispatchTurns;
import software.amazon.kinesis.leases.Lease;

/**
 * Decides when this worker scans the lease table for leases to take: every second, in large tables every few. If it holds
 * every lease there is none to take, and a scan every three seconds is enough, until a lease comes or goes.
 */
final class TakePace {
    private static final long TAKE_MILLIS = 1_000;

    /** For what nobody tells this worker of: a row that a person has changed. */
    private static final long TAKE_MILLIS_OF_SOLE_WORKER = 3_000;

    /** A scan reads some 400 bytes a lease: this keeps it under some 10 read units a second for each worker. */
    private static final long TAKE_MILLIS_PER_LEASE = 5;

    /** A look takes one lease from another worker: 500 would be even over 16 workers after 82 s; so it takes half as long. */
    private static final long TAKE_MILLIS_PER_LEASE_MOVING = 2;

    private final DispatchTurns turns;
    private final long longestMillis;
    private final LongSupplier nanos;
    private boolean isSole;
    private long lookedNanos;
    private long wakesSeen;

    /**
     * @param turns woken where a lease or a shard comes or goes
     * @param failoverMillis after which a lease that is not renewed can be taken
     * @param nanos the clock, as {@code System.nanoTime} is one
     */
    TakePace(DispatchTurns turns, long failoverMillis, LongSupplier nanos) {
        this.turns = turns;
        this.longestMillis = Math.max(TAKE_MILLIS, 2 * failoverMillis); // KCL's own pace
        this.nanos = nanos;
    }

    /**
     * From the end of one look to the next moment at which one may be due, in milliseconds.
     *
     * @param isMoving whether the last look took a lease
     */
    long pauseMillis(int leases, boolean isMoving) {
        long each = isMoving ? TAKE_MILLIS_PER_LEASE_MOVING : TAKE_MILLIS_PER_LEASE;
        return Math.min(Math.max(TAKE_MILLIS, each * leases), longestMillis);
    }

    /**
     * Whether the table is to be scanned now. A wake is not forgotten, however long ago it was: with hundreds of leases the
     * moments at which a scan may be due are further apart than the two seconds for which the turns stay awake.
     */
    boolean isDue() {
        return !isSole || turns.isAwake() || turns.wakes() != wakesSeen
                || nanos.getAsLong() - lookedNanos >= TimeUnit.MILLISECONDS.toNanos(TAKE_MILLIS_OF_SOLE_WORKER);
    }

    /** Before a scan. Until one has succeeded, scans are as frequent as ever. */
    void begin() {
        lookedNanos = nanos.getAsLong();
        wakesSeen = turns.wakes();
        isSole = false;
    }

    /**
     * After a scan that succeeded.
     *
     * @param all the leases that it found
     * @param worker this worker's id
     * @param isHeld whether this worker holds a shard's lease: a row names it as the owner even of one that it has dropped, and
     *     that is to be taken again as soon as it has expired
     */
    void end(Collection<Lease> all, String worker, Predicate<String> isHeld) {
        isSole = !all.isEmpty()
                && all.stream().allMatch(lease -> worker.equals(lease.leaseOwner()) && isHeld.test(lease.leaseKey()));
    }
}
