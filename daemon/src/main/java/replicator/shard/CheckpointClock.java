package replicator.shard;

import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import replicator.process.TaskThreads;

/** Wakes the shards of a task whose children have put a checkpoint off; one clock serves all of them. */
public class CheckpointClock {
    /** A batch that comes just then stores it, too, and without a message of its own. */
    private static final long RATHER_BY_BATCH_MILLIS = 250;

    private final long intervalMillis;
    private final ScheduledExecutorService clock =
            TaskThreads.timer("checkpoint-clock");

    /** A look takes as long as a checkpoint, so each is a thread's own. */
    private final Executor looks = TaskThreads.pool("checkpoint");

    /** @param intervalMillis checkpointIntervalMillis; where it is 0, children put nothing off */
    public CheckpointClock(long intervalMillis) {
        this.intervalMillis = intervalMillis;
    }

    boolean isRunning() {
        return intervalMillis > 0;
    }

    /**
     * Has a shard looked at when its checkpoint is due.
     *
     * @param millis since its last one, or since it was asked for in vain
     */
    void whenDue(long millis, Runnable look) {
        clock.schedule(() -> looks.execute(look), intervalMillis + RATHER_BY_BATCH_MILLIS - millis, TimeUnit.MILLISECONDS);
    }
}
