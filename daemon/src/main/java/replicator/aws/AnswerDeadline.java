package software.amazon.kinesis.multilang.config;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Cuts off an exchange that is not through in {@link AnswerBounds#TIME}. A socket's own time-out is of each read: one that
 * gives a byte a second would be read for ever.
 */
final class AnswerDeadline {
    private static final ScheduledThreadPoolExecutor TIMER = timer();

    private final Future<?> end;
    private final Runnable abort;
    private volatile boolean isPast;

    /** @param abort ends the exchange, in whatever state it is */
    AnswerDeadline(Runnable abort) {
        this.abort = abort;
        this.end = TIMER.schedule(() -> {
            isPast = true;
            abort.run();
        }, AnswerBounds.TIME.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static ScheduledThreadPoolExecutor timer() {
        ScheduledThreadPoolExecutor made = new ScheduledThreadPoolExecutor(1, new DaemonThreads("answer-deadlines"));
        made.setRemoveOnCancelPolicy(true);
        return made;
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
