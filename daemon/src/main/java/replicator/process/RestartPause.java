package replicator.process;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * When a helper process that has ended may be started again: a second after it was started, and ever later where it never
 * lives for long. Not safe for several threads.
 */
public final class RestartPause {
    private static final long FIRST_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long LAST_NANOS = TimeUnit.SECONDS.toNanos(300);

    /** A process that lived for this time is started again as if it were the first time. */
    private static final long STEADY_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final LongSupplier nanos;
    private long pause;
    private long notBefore;

    public RestartPause() {
        this(System::nanoTime);
    }

    RestartPause(LongSupplier nanos) {
        this.nanos = nanos;
        this.notBefore = nanos.getAsLong();
    }

    /** To be told of each start. */
    public void begin() {
        long now = nanos.getAsLong();
        boolean isFirst = pause == 0 || now - notBefore >= STEADY_NANOS;
        pause = isFirst ? FIRST_NANOS : Math.min(pause * 2, LAST_NANOS);
        notBefore = now + pause;
    }

    /** How long it is yet until the next start; 0 where that is now. */
    public long leftMillis() {
        return Math.max(0, TimeUnit.NANOSECONDS.toMillis(notBefore - nanos.getAsLong()));
    }
}
