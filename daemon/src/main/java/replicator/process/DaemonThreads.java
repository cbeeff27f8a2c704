package software.amazon.kinesis.multilang.config;

import java.util.concurrent.ThreadFactory;

/** Threads of one name that keep no process from ending. */
final class DaemonThreads implements ThreadFactory {
    private final String name;

    DaemonThreads(String name) {
        this.name = name;
    }

    @Override
    public Thread newThread(Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }
}
