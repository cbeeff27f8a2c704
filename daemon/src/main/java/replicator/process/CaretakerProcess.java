package replicator.process;

import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import replicator.log.Event;

/**
 * The process that looks after tasks ({@code processor/caretaker/process.py}): started when the first task begins whose settings
 * ask for it, and again where it ends. Replication never waits for it.
 *
 * <p>Its standard input gets a line of JSON for each of those tasks that begins or ends; the input's end, which comes however
 * this process ends, ends it and what it runs.
 */
public final class CaretakerProcess {
    private final KeptProcess kept;
    private final ExecutorService teller = Executors.newSingleThreadExecutor(DaemonThreads.ofProcess("caretaker-teller"));
    private final Set<String> tasks = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean started = new AtomicBoolean();

    /** @param command split at spaces, as KCL splits the children's; null where no task asks for it */
    public CaretakerProcess(String command) {
        kept = command == null ? null : new KeptProcess("caretaker", command.split(" "), this::introduce, line -> {},
                CaretakerProcess::sayLost);
    }

    /**
     * A task has begun that is to be looked after.
     *
     * @param task the file with its children's settings
     */
    public void begun(Path task) {
        tasks.add(task.toString());
        if (started.compareAndSet(false, true)) {
            DaemonThreads.ofProcess("caretaker-process").newThread(this::keepRunning).start();
        }
        say(line(task.toString(), "begun"));
    }

    /** A task has ended. */
    public void ended(Path task) {
        if (tasks.remove(task.toString())) {
            say(line(task.toString(), "ended"));
        }
    }

    private static String line(String task, String state) {
        return String.format("{\"task\":%s,\"state\":\"%s\"}", TextNode.valueOf(task), state);
    }

    private void keepRunning() {
        try {
            kept.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void introduce() {
        tasks.forEach(task -> say(line(task, "begun")));
    }

    /** Returns at once: a process that reads nothing would have us wait. */
    private void say(String line) {
        if (kept.isRunning()) {
            teller.execute(() -> kept.say(line));
        }
    }

    /** Has it end what it does. Returns at once. */
    public void close() {
        if (kept != null) {
            teller.execute(kept::close); // after what is being told
        }
    }

    /** Waits for its end, but for no longer than that. */
    public void await(long millis) {
        if (kept != null) {
            kept.await(millis);
        }
    }

    private static void sayLost(String end, long againSeconds) {
        Event.warning("caretaker_process_ended").with("end", end).with("again_in_seconds", againSeconds)
                .note("Replication goes on. The process that looks after the task is started again, and what it was doing goes on "
                        + "where it was; another daemon of the task may do so before. replication.log has what it said.");
    }
}
