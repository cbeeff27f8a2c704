package replicator.process;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import replicator.log.Event;

/**
 * How a task ends: the only place that begins its end, and that knows its exit status, which is the process's where it has
 * one task.
 *
 * <p>The status is {@link #STOPPED} where the end was asked for, {@link #TO_BE_PUT_RIGHT} or {@link #FAILED} otherwise; while a
 * stop after a failure is under way, what a child has left may take its place.
 */
public final class Exit {
    /** Asked for, by a signal as a rule, and the batches in hand are checkpointed. */
    public static final int STOPPED = 0;

    /** errno's EIO, the original's exit status for any failure at run time. */
    public static final int FAILED = 5;

    /** errno's EINVAL, the original's exit status for what a person must put right first. */
    public static final int TO_BE_PUT_RIGHT = 22;

    private final Runnable end;
    private final AtomicBoolean failing = new AtomicBoolean();
    private final AtomicBoolean ending = new AtomicBoolean();
    private volatile int status = FAILED;
    private volatile boolean stopping;

    /** @param end ends the task; called once, where it fails, on a thread of its own */
    public Exit(Runnable end) {
        this.end = end;
    }

    /** The end is asked for. While a failure is on its way out, that changes nothing. */
    public void stop() {
        if (!stopping) {
            status = STOPPED;
        }
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
        if (failing.compareAndSet(false, true)) { // KCL tries again until the task has ended
            Event.error(event).note(sentence);
            end();
        }
        return new IllegalStateException(sentence);
    }

    /**
     * A child has ended in the middle of its work, and has said why: begins the stop. Never returns, because KCL would then
     * hand on what comes next.
     */
    public void childEnded() {
        end();
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("The child has ended, and so does its task", e);
        }
    }

    /** Not on the caller's thread: the end waits for shards, which may wait for the caller. */
    private void end() {
        if (!stopping && ending.compareAndSet(false, true)) { // a child's end may be the stop's own doing
            new Thread(end, "failed").start();
        }
    }

    /** To be called as the stop begins: from now on its status is what it is, but for {@link #becomes}. */
    public void begin() {
        stopping = true;
    }

    public boolean isStopping() {
        return stopping;
    }

    /** Whether it ends because that was asked for, and nothing has gone wrong. */
    public boolean isClean() {
        return status == STOPPED;
    }

    public int status() {
        return status;
    }

    public void becomes(int other) {
        status = other;
    }
}
