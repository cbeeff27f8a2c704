package replicator.metrics;

import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import replicator.log.Event;
import replicator.log.ProcessLines;
import replicator.process.DaemonThreads;
import replicator.process.RestartPause;

/**
 * The process that tells this daemon's metrics ({@code processor/metrics/exporter.py}): started beside the children, and
 * again where it ends. Replication never waits for it.
 *
 * <p>Its standard input gets a line of JSON now and then; the input's end, which comes however this process ends, ends it. What
 * it writes to standard error goes where the children's lines go.
 */
public final class MetricsProcess {
    private static final Logger LOG = LoggerFactory.getLogger(MetricsProcess.class);

    private final String[] command;
    private final ExecutorService teller = Executors.newSingleThreadExecutor(DaemonThreads.ofProcess("metrics-teller"));
    private final Set<String> telling = ConcurrentHashMap.newKeySet();
    private final Set<String> tasks = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean started = new AtomicBoolean();
    private volatile boolean closing;
    private volatile Process process;

    /** @param command split at spaces, as KCL splits the children's; null where nothing is to be told */
    public MetricsProcess(String command) {
        this.command = command == null ? null : command.split(" ");
    }

    public void start() {
        if (command != null && started.compareAndSet(false, true)) {
            DaemonThreads.ofProcess("metrics-process").newThread(this::keepRunning).start();
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

    private void say(String line) {
        Process running = process;
        if (running != null) {
            teller.execute(() -> write(running, line));
        }
    }

    private static void write(Process running, String line) {
        try {
            OutputStream input = running.getOutputStream();
            input.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            input.flush();
        } catch (IOException e) {
            LOG.debug("The metrics process has ended", e);
        }
    }

    /**
     * Tells what only the daemon knows. Returns at once: a process that reads nothing would have us wait.
     *
     * @param task the file with the settings of the task's children; null where the process has one task
     * @param shardsUnread how many of the stream's shards no daemon reads
     * @param shardsLost of how many shards of this daemon's changes are lost
     */
    public void tell(Path task, int shardsUnread, int shardsLost) {
        Process running = process;
        String key = String.valueOf(task);
        if (running != null && telling.add(key)) {
            String of = task == null ? "" : String.format("\"task\":%s,", TextNode.valueOf(key));
            String line = String.format("{%s\"shardsUnread\":%d,\"shardsLost\":%d}", of, shardsUnread, shardsLost);
            teller.execute(() -> {
                write(running, line);
                telling.remove(key);
            });
        }
    }

    /** Lets the process send its last figures, and waits up to {@code millis} for that. */
    public void close(long millis) {
        closing = true;
        Process running = process;
        if (running != null) {
            teller.execute(() -> { // after what is being told
                try {
                    running.getOutputStream().close();
                } catch (IOException e) {
                    LOG.debug("The metrics process has ended", e);
                }
            });
            try {
                running.waitFor(millis, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void keepRunning() {
        RestartPause pause = new RestartPause();
        while (!closing) {
            pause.begin();
            String end = runOnce();
            if (closing) {
                return;
            }
            long left = pause.leftMillis();
            Event.warning("metrics_process_ended").with("end", end).with("again_in_seconds", left / 1_000)
                    .note("Replication goes on; metrics are missing until the process that tells them is started again. "
                            + "replication.log has what it said.");
            try {
                Thread.sleep(left);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private String runOnce() {
        try {
            Process started = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            process = started;
            tasks.forEach(task -> say(begun(task)));
            ProcessLines.read(started.getErrorStream(), line -> {
                ProcessLines.log(line);
                System.err.println(line);
            });
            return "ended with " + started.waitFor();
        } catch (IOException e) {
            return "can't be started (" + e.getMessage() + ")";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "was interrupted";
        } finally {
            process = null;
        }
    }
}
