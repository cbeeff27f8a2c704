package replicator.process;

import java.util.concurrent.atomic.AtomicBoolean;
import replicator.log.Event;

/**
 * How this process ends: the only place that ends it, and that knows its exit status.
 *
 * <p>The status is {@link #STOPPED} after a signal, {@link #TO_BE_PUT_RIGHT} or {@link #FAILED} otherwise; while a stop after
 * a failure is under way, what a child has left may take its place. Whatever ends the process by {@code System.exit}, as KCL
 * does when a child has ended, has failed.
 */
public final class Exit {
    /** A signal asked for it, and the batches in hand are checkpointed. */
    public static final int STOPPED = 0;

    /** errno's EIO, the original's exit status for any failure at run time. */
    public static final int FAILED = 5;

    /** errno's EINVAL, the original's exit status for what a person must put right first. */
    public static final int TO_BE_PUT_RIGHT = 22;

    private final AtomicBoolean failing = new AtomicBoolean();
    private volatile int status = FAILED;
    private volatile boolean stopping;

    /** A signal came. One that comes while a failure is on its way out changes nothing. */
    public void stop() {
        if (!stopping) {
            status = STOPPED;
        }
        System.exit(STOPPED); // runs the shutdown hook, which ends with the status above
    }

    /**
     * Says what failed and begins the stop; only the first failure does. Returns at once, so that the caller's thread, which
     * the stop may wait for, can end.
     *
     * @param event its name
     * @param sentence what it means and what to do
     * @return to be thrown where an exception alone would be retried, or read as something else, by KCL or the adapter
     */
    public IllegalStateException fail(String event, String sentence) {
        if (failing.compareAndSet(false, true)) { // KCL tries again until the process has ended
            Event.error(event).note(sentence);
            // Not from this thread: exit waits for the shutdown hook, which waits for shards, which may wait for us.
            new Thread(() -> System.exit(FAILED), "failed").start();
        }
        return new IllegalStateException(sentence);
    }

    /** To be called as the stop begins: from now on its status is what it is, but for {@link #becomes}. */
    public void begin() {
        stopping = true;
    }

    public boolean isStopping() {
        return stopping;
    }

    /** Whether it ends because a signal asked for it, and nothing has gone wrong. */
    public boolean isClean() {
        return status == STOPPED;
    }

    public int status() {
        return status;
    }

    public void becomes(int other) {
        status = other;
    }

    /** Ends the process now, whatever else runs. */
    public void halt() {
        Runtime.getRuntime().halt(status);
    }
}
