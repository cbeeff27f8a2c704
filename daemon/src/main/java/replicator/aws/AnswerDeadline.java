package replicator.aws;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import replicator.process.TaskThreads;

/**
 * Ends an exchange that takes longer than {@link AnswerBounds#TIME}. A socket's own timeout applies to each read, so an
 * answer of one byte a second would be read for ever.
 */
final class AnswerDeadline {
    private final Runnable abort;
    private Future<?> end;
    private volatile boolean isPast;

    private AnswerDeadline(Runnable abort) {
        this.abort = abort;
    }

    /**
     * One that begins now.
     *
     * @param timer a {@link #timer}
     * @param abort ends the exchange, in whatever state it is
     */
    static AnswerDeadline begin(ScheduledExecutorService timer, Runnable abort) {
        AnswerDeadline made = new AnswerDeadline(abort);
        made.end = timer.schedule(made::pass, AnswerBounds.TIME.toMillis(), TimeUnit.MILLISECONDS);
        return made;
    }

    private void pass() {
        isPast = true;
        abort.run();
    }

    /** What the deadlines of a client's exchanges share; its thread begins with the first of them. */
    static ScheduledExecutorService timer() {
        return TaskThreads.timers("answer-deadlines", 1);
    }

    void met() {
        end.cancel(false);
    }

    /** Ends the exchange now: its connection is of no use any more. */
    void abort() {
        met();
        abort.run();
    }

    /** What really failed, where the deadline cut it off. */
    IOException explained(IOException failure) {
        if (!isPast) {
            return failure;
        }
        IOException explained =
                new SocketTimeoutException("no whole answer within " + AnswerBounds.TIME.toSeconds() + " s");
        explained.addSuppressed(failure);
        return explained;
    }
}
