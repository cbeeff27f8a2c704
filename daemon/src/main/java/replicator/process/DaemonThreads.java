package replicator.process;

import java.util.concurrent.ThreadFactory;

/** Makes threads of one name that don't keep the process from ending. */
public final class DaemonThreads implements ThreadFactory {
    private final String name;
    private final ThreadGroup group;

    /** They belong to the task of the thread that makes them. */
    public DaemonThreads(String name) {
        this(name, null);
    }

    private DaemonThreads(String name, ThreadGroup group) {
        this.name = name;
        this.group = group;
    }

    /** Those that belong to no task, whatever thread makes them. */
    public static DaemonThreads ofProcess(String name) {
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        while (group.getParent() != null) {
            group = group.getParent();
        }
        return new DaemonThreads(name, group);
    }

    @Override
    public Thread newThread(Runnable task) {
        Thread thread = new Thread(group, task, name);
        thread.setDaemon(true);
        return thread;
    }
}
