package replicator;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import replicator.log.Event;
import replicator.process.Exit;
import replicator.start.StartWatch;

/** One run of a task, from its properties file to its end. */
final class TaskRun {
    private final String file;
    private final Common common;
    private final Exit exit;
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile Task task;

    /**
     * @param file the task's properties, written by {@code processor/startup/daemon.py}
     * @param end called once, on a thread of its own, where the task fails while it runs: it must come to {@link #end}
     */
    TaskRun(String file, Common common, Runnable end) {
        this.file = file;
        this.common = common;
        this.exit = new Exit(end);
    }

    static Properties properties(String file) throws IOException {
        Properties properties = new Properties();
        try (InputStream input = Files.newInputStream(Path.of(file))) {
            properties.load(input);
        }
        return properties;
    }

    /** Returns when the task has ended, and where it can't start. The calling thread is KCL's from now on. */
    void run() {
        try {
            task = new Task(file, properties(file), common, exit);
            task.run();
            ended.await();
        } catch (StartWatch.DeniedException e) {
            exit.becomes(Exit.TO_BE_PUT_RIGHT);
            Event.error("start_denied").with("error", e.getMessage())
                    .note("A call is denied that KCL's tables need. Nothing is replicated; the checkpoints are as they were. "
                            + "Allow it, then start again; the command policy prints all that is needed.");
        } catch (Throwable t) {
            if (exit.isStopping()) { // what it did last was to wait, and it was told to wait no longer
                return;
            }
            Event.error("start_failed").with("error", t.toString()).cause(t)
                    .note("The daemon could not start. Nothing is replicated; the checkpoints are as they were. "
                            + "kcl.log beside this has the whole trace.");
        }
    }

    /** The end is asked for. */
    void ask() {
        exit.stop();
    }

    /** Returns when it has ended: batches in hand are checkpointed, leases given back. */
    void end() {
        exit.begin();
        Task running = task;
        if (exit.isClean() && !isBegun()) {
            Event.notice("daemon_stopped").note("Stopped before it began: nothing was read here, nothing is lost.");
        }
        if (running != null) {
            running.stop();
        }
        ended.countDown();
    }

    /** Whether it has begun with what must be given back; until then it may only wait for an answer. */
    boolean isBegun() {
        Task running = task;
        return running != null && running.isBegun();
    }

    /** After {@link #end}, in a process that goes on: whatever did not come to its end by then has its children taken away. */
    void abandon() {
        Task running = task;
        if (running != null) {
            running.abandon();
        }
    }

    /** How long {@link #end} may take where it was asked for. */
    long graceMillis() {
        Task running = task;
        return running == null ? 0 : running.graceMillis();
    }

    /** Leaves nothing behind, in a process that goes on. Only after {@link #run} has returned. */
    void close() {
        Task over = task;
        if (over != null) {
            over.close();
        }
    }

    int status() {
        return exit.status();
    }
}
