package replicator.start;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.AppenderBase;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.LoggerFactory;
import replicator.log.Outage;
import replicator.log.TaskGroup;
import replicator.process.TaskThreads;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.kinesis.coordinator.CoordinatorConfig;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.coordinator.WorkerStateChangeListener;
import software.amazon.kinesis.leases.exceptions.LeasingException;

/**
 * Retries what fails between the JVM's first call and KCL's start, and reports it, at once and then ever more rarely: an
 * outage must not end a start. processor/commands/replicate/command.py does the same before the JVM.
 *
 * <p>KCL alone would give up after 20 tries, and tell nobody but its log.
 */
public final class StartWatch implements WorkerStateChangeListener {
    /** A call that is denied, and stays so for longer than a new policy takes to be known everywhere, is a person's. */
    private static final long DENIED_MILLIS = 10_000;

    private static final Set<String> DENIED = Set.of("AccessDenied", "AccessDeniedException");
    private static final long FIRST_PAUSE_MILLIS = 1_000;
    private static final long LONGEST_PAUSE_MILLIS = 30_000;

    /** KCL's own pause between its tries is a second: its log would hold little else after an hour. */
    private static final long KCL_PAUSE_MILLIS = 5_000;

    /** DynamoDB makes a table in less. */
    private static final long SILENCE_MILLIS = 20_000;

    private final Outage outage = new Outage("start_delayed", "The daemon can't begin yet",
            "Nothing is lost. It waits, tries again, and goes on by itself.", "The daemon begins");
    private final ScheduledExecutorService silence =
            TaskThreads.timer("start-watch");
    private final AppenderBase<ILoggingEvent> failures = new KclFailures();

    /** KCL's log is the process's; what is logged by threads of another task is that one's failure. */
    private final Optional<TaskGroup> task = TaskGroup.current();

    private volatile boolean started;

    /** What a call of AWS's that a person must allow comes to; its message names the call. */
    public static final class DeniedException extends Exception {
        private static final long serialVersionUID = 1;

        public DeniedException(Throwable cause) {
            super(cause.getMessage(), cause);
        }
    }

    /** From now on, an answer that does not come is said. */
    public void start() {
        silence.scheduleWithFixedDelay(
                () -> outage.failed(new TimeoutException("no answer yet from the checkpoint table or the stream")),
                SILENCE_MILLIS, SILENCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Has KCL try without end, and its failures be said. */
    public void watch(CoordinatorConfig config) {
        config.maxInitializationAttempts(Integer.MAX_VALUE)
                .schedulerInitializationBackoffTimeMillis(KCL_PAUSE_MILLIS)
                .workerStateChangeListener(this);
        if (!failures.isStarted()) {
            failures.start();
            scheduler().addAppender(failures);
        }
    }

    /** The task has ended, and nothing of it is to be said any more. */
    public void end() {
        silence.shutdownNow();
        scheduler().detachAppender(failures);
    }

    /** Whether KCL runs: before that, no shard is read here and no lease is held. */
    public boolean isStarted() {
        return started;
    }

    @Override
    public void onWorkerStateChange(WorkerState state) {
        if (state == WorkerState.STARTED) {
            started = true;
            end();
            outage.succeeded();
        }
    }

    /**
     * Makes the call until it works.
     *
     * @throws DeniedException a person must allow it
     */
    public <T> T until(Callable<T> call) throws Exception {
        long deniedSince = 0;
        for (long pause = FIRST_PAUSE_MILLIS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MILLIS)) {
            try {
                return call.call();
            } catch (Exception e) {
                if (!isOfTables(e)) {
                    throw e;
                }
                Exception cause = cause(e);
                outage.failed(cause);
                long now = System.nanoTime() / 1_000_000;
                deniedSince = !isDenied(cause) ? 0 : deniedSince == 0 ? now : deniedSince;
                if (deniedSince != 0 && now - deniedSince > DENIED_MILLIS) {
                    throw new DeniedException(cause);
                }
            }
            Thread.sleep(pause);
        }
    }

    /** Whether it is a call that failed; anything else is a fault of ours, or of a library. */
    private static boolean isOfTables(Throwable error) {
        return error instanceof LeasingException || cause(error) instanceof SdkException
                || cause(error) instanceof TimeoutException;
    }

    /** The failure that the AWS SDK told, beneath what KCL makes of it; or the error itself. */
    private static Exception cause(Throwable error) {
        for (Throwable each = error; each != null; each = each.getCause()) {
            if (each instanceof SdkException || each instanceof TimeoutException) {
                return (Exception) each;
            }
        }
        return error instanceof Exception ? (Exception) error : new IllegalStateException(error);
    }

    private static boolean isDenied(Exception error) {
        return error instanceof AwsServiceException && ((AwsServiceException) error).awsErrorDetails() != null
                && DENIED.contains(((AwsServiceException) error).awsErrorDetails().errorCode());
    }

    private static Logger scheduler() {
        return (Logger) LoggerFactory.getLogger(Scheduler.class);
    }

    /** KCL tells of a try that failed by a line of its log alone. */
    private final class KclFailures extends AppenderBase<ILoggingEvent> {
        @Override
        protected void append(ILoggingEvent event) {
            boolean isOurs = event.getLevel() == Level.ERROR && TaskGroup.current().equals(task);
            if (isOurs && event.getThrowableProxy() instanceof ThrowableProxy) {
                outage.failed(cause(((ThrowableProxy) event.getThrowableProxy()).getThrowable()));
            }
        }
    }
}
