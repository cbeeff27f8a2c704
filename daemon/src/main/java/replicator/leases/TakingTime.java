package replicator.leases;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * How long one look may go on taking leases.
 *
 * <p>KCL takes the leases of a look one after the other, and renews none of them before all are taken. Of hundreds, as the
 * first daemon of a large table takes, or at a long round trip, the first would be lost again by then: each lasts for the
 * failover time only. So a look takes what it can in a fifth of that, and the next look follows at once.
 */
final class TakingTime {
    private static final int PARTS = 5;

    private final long mostNanos;
    private final LongSupplier nanos;
    private volatile long begunNanos;
    private volatile boolean hasLeft;

    TakingTime(long failoverMillis) {
        this(failoverMillis, System::nanoTime);
    }

    TakingTime(long failoverMillis, LongSupplier nanos) {
        this.mostNanos = TimeUnit.MILLISECONDS.toNanos(failoverMillis) / PARTS;
        this.nanos = nanos;
        begin();
    }

    /** A look begins. */
    void begin() {
        begunNanos = nanos.getAsLong();
        hasLeft = false;
    }

    /** Whether no more may be taken in this look: then the lease that was asked for is left. */
    boolean isOver() {
        boolean isOver = nanos.getAsLong() - begunNanos > mostNanos;
        hasLeft |= isOver;
        return isOver;
    }

    /** Whether a lease was left. */
    boolean hasLeft() {
        return hasLeft;
    }
}
