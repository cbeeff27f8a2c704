package replicator.metrics;

import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import replicator.log.Event;
import replicator.process.DaemonThreads;
import replicator.process.KeptProcess;

/**
 * The process that tells this daemon's metrics ({@code processor/metrics/exporter.py}): started beside the children, and
 * again where it ends. Replication never waits for it.
 *
 * <p>Its standard input gets a line of JSON now and then; the input's end, which comes however this process ends, ends it. What
 * it writes to standard error goes where the children's lines go.
 */
public final class MetricsProcess {
    private final KeptProcess kept;
    private final ExecutorService teller = Executors.newSingleThreadExecutor(DaemonThreads.ofProcess("metrics-teller"));
    private final Set<String> telling = ConcurrentHashMap.newKeySet();
    private final Set<String> tasks = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean started = new AtomicBoolean();

    /** @param command split at spaces, as KCL splits the children's; null where nothing is to be told */
    public MetricsProcess(String command) {
        kept = command == null ? null
                : new KeptProcess("metrics", command.split(" "), this::introduce, line -> {}, MetricsProcess::sayLost);
    }

    public void start() {
        if (kept != null && started.compareAndSet(false, true)) {
            DaemonThreads.ofProcess("metrics-process").newThread(this::keepRunning).start();
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
     * One of several tasks has begun, and wants its metrics told.
     *
     * @param task the file with its children's settings
     */
    public void begun(Path task) {
        tasks.add(task.toString());
        start();
        say(begun(task.toString()));
    }

    /** One of several tasks has ended. */
    public void ended(Path task) {
        if (tasks.remove(task.toString())) {
            say(String.format("{\"task\":%s,\"state\":\"ended\"}", TextNode.valueOf(task.toString())));
        }
    }

    private static String begun(String task) {
        return String.format("{\"task\":%s,\"state\":\"begun\"}", TextNode.valueOf(task));
    }

    private void introduce() {
        tasks.forEach(task -> say(begun(task)));
    }

    /** Returns at once: a process that reads nothing would have us wait. */
    private void say(String line) {
        if (isRunning()) {
            teller.execute(() -> kept.say(line));
        }
    }

    private boolean isRunning() {
        return kept != null && kept.isRunning();
    }

    /**
     * Tells what only the daemon knows, unless the last of the same task is still being told.
     *
     * @param task the file with the settings of the task's children; null where the process has one task
     * @param shardsUnread how many of the stream's shards no daemon reads
     * @param shardsLost of how many shards of this daemon's changes are lost
     */
    public void tell(Path task, int shardsUnread, int shardsLost) {
        String key = String.valueOf(task);
        if (isRunning() && telling.add(key)) {
            String of = task == null ? "" : String.format("\"task\":%s,", TextNode.valueOf(key));
            String line = String.format("{%s\"shardsUnread\":%d,\"shardsLost\":%d}", of, shardsUnread, shardsLost);
            teller.execute(() -> {
                kept.say(line);
                telling.remove(key);
            });
        }
    }

    /** Lets the process send its last figures, and waits up to {@code millis} for that. */
    public void close(long millis) {
        if (kept != null) {
            teller.execute(kept::close); // after what is being told
            kept.await(millis);
        }
    }

    private static void sayLost(String end, long againSeconds) {
        Event.warning("metrics_process_ended").with("end", end).with("again_in_seconds", againSeconds)
                .note("Replication goes on; metrics are missing until the process that tells them is started again. "
                        + "replication.log has what it said.");
    }
}
