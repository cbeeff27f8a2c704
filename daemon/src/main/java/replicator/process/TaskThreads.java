package replicator.process;

import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.stream.Stream;
import replicator.log.TaskGroup;

/** The threads of one task among several in a process, which end with it. */
public final class TaskThreads extends TaskGroup {
    /** Threads that begin between their count and their list. */
    private static final int SPARE = 64;

    private final Set<ExecutorService> pools = ConcurrentHashMap.newKeySet();

    /**
     * @param task its name
     * @param logs the folder of its log files
     */
    public TaskThreads(String task, Path logs) {
        super(task, logs);
        setDaemon(true); // its parent forgets it with its last thread
    }

    /** One thread for what the calling thread's task does again and again, or later. It ends with the task. */
    public static ScheduledExecutorService timer(String name) {
        return timers(name, 1);
    }

    /** As {@link #timer}, with as many threads. What is cancelled is forgotten at once, and wakes nobody. */
    public static ScheduledThreadPoolExecutor timers(String name, int threads) {
        ScheduledThreadPoolExecutor made = new ScheduledThreadPoolExecutor(threads, new DaemonThreads(name));
        made.setRemoveOnCancelPolicy(true);
        return ended(made);
    }

    /** As many threads as the calling thread's task has to do side by side. They end with the task. */
    public static ExecutorService pool(String name) {
        return ended(Executors.newCachedThreadPool(new DaemonThreads(name)));
    }

    /** One thread, for one thing. It ends with the task. */
    public static ExecutorService single(String name) {
        return ended(Executors.newSingleThreadExecutor(new DaemonThreads(name)));
    }

    private static <T extends ExecutorService> T ended(T pool) {
        current().ifPresent(group -> ((TaskThreads) group).add(pool));
        return pool;
    }

    private void add(ExecutorService pool) {
        pools.removeIf(ExecutorService::isShutdown); // those of shards that have ended
        pools.add(pool);
    }

    /** Starts a thread of the task's, whoever asks for it. */
    public void start(String name, Runnable work) {
        Thread thread = new Thread(this, work, name);
        thread.setDaemon(true);
        thread.start();
    }

    /** Ends all but the calling one, as far as they heed an interrupt. */
    public void end() {
        pools.forEach(ExecutorService::shutdownNow);
        Thread[] all = new Thread[activeCount() + SPARE];
        int count = enumerate(all);
        Stream.of(all).limit(count).filter(thread -> !isShared(thread) && thread != Thread.currentThread())
                .forEach(Thread::interrupt);
    }
}
