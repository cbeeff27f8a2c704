package replicator.log;

import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinWorkerThread;

/**
 * The threads of one task among several in a process: whatever thread one of them makes belongs to it too, KCL's included. So
 * each line of the log finds its task.
 *
 * <p>Threads that tasks share, as those of Java's common pool, belong to none.
 */
public class TaskGroup extends ThreadGroup {
    private final Path logs;

    /**
     * @param task its name
     * @param logs the folder of its log files
     */
    protected TaskGroup(String task, Path logs) {
        super(task);
        this.logs = logs;
    }

    /** That of the calling thread; empty where the process has one task, or the thread belongs to none. */
    public static Optional<TaskGroup> current() {
        if (isShared(Thread.currentThread())) {
            return Optional.empty();
        }
        for (ThreadGroup each = Thread.currentThread().getThreadGroup(); each != null; each = each.getParent()) {
            if (each instanceof TaskGroup) {
                return Optional.of((TaskGroup) each);
            }
        }
        return Optional.empty();
    }

    /** Whether it is of Java's common pool, whose threads are in the group of whoever had work for them first. */
    protected static boolean isShared(Thread thread) {
        return thread instanceof ForkJoinWorkerThread
                && ((ForkJoinWorkerThread) thread).getPool() == ForkJoinPool.commonPool();
    }

    Path logs() {
        return logs;
    }
}
