package replicator.process;

import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A process beside the daemon that does something for its tasks: started when the first of them asks for it, and again where it
 * ends. Replication never waits for it.
 *
 * <p>Its standard input gets a line of JSON for each of those tasks that begins or ends; the input's end, which comes however
 * this process ends, ends it and what it runs. What it writes to standard error goes where the children's lines go.
 */
public class TasksProcess {
    private final String name;
    private final KeptProcess kept;
    private final ExecutorService teller;
    private final Set<String> tasks = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean started = new AtomicBoolean();

    /**
     * @param name of what it does, for its threads' names
     * @param command split at spaces, as KCL splits the children's; null where no task asks for it
     */
    protected TasksProcess(String name, String command, KeptProcess.Ended ended) {
        this.name = name;
        teller = Executors.newSingleThreadExecutor(DaemonThreads.ofProcess(name + "-teller"));
        kept = command == null ? null : new KeptProcess(name, command.split(" "), this::introduce, line -> {}, ended);
    }

    /** Starts it, if that wasn't done. */
    public final void start() {
        if (kept != null && started.compareAndSet(false, true)) {
            DaemonThreads.ofProcess(name + "-process").newThread(this::keepRunning).start();
        }
    }

    private void keepRunning() {
        try {
            kept.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * A task has begun that asks for it.
     *
     * @param task the file with its children's settings
     */
    public final void begun(Path task) {
        tasks.add(task.toString());
        start();
        say(line(task.toString(), "begun"), () -> {});
    }

    /** A task has ended. */
    public final void ended(Path task) {
        if (tasks.remove(task.toString())) {
            say(line(task.toString(), "ended"), () -> {});
        }
    }

    private static String line(String task, String state) {
        return String.format("{\"task\":%s,\"state\":\"%s\"}", TextNode.valueOf(task), state);
    }

    /** Whichever task is among them when the teller comes to it: one that has ended since is not begun after its end. */
    private void introduce() {
        teller.execute(() -> tasks.forEach(task -> kept.say(line(task, "begun"))));
    }

    /**
     * Tells it something, if it runs. Returns at once: a process that reads nothing would have us wait.
     *
     * @param told run when it was told
     * @return whether it will be
     */
    protected final boolean say(String line, Runnable told) {
        if (kept == null || !kept.isRunning()) {
            return false;
        }
        teller.execute(() -> {
            kept.say(line);
            told.run();
        });
        return true;
    }

    /** Ends its input, after what is being told. Returns at once. */
    public final void close() {
        if (kept != null) {
            teller.execute(kept::close);
        }
    }

    /** Waits for its end, but for no longer than that. */
    public final void await(long millis) {
        if (kept != null) {
            kept.await(millis);
        }
    }
}
