package replicator.metrics;

import com.fasterxml.jackson.databind.node.TextNode;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import replicator.log.Event;
import replicator.process.TasksProcess;

/** The process that tells this daemon's metrics ({@code processor/metrics/exporter.py}): started beside the children. */
public final class MetricsProcess extends TasksProcess {
    private final Set<String> telling = ConcurrentHashMap.newKeySet();

    /** @param command split at spaces; null where nothing is to be told */
    public MetricsProcess(String command) {
        super("metrics", command, MetricsProcess::sayLost);
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
        if (!telling.add(key)) {
            return;
        }
        String of = task == null ? "" : String.format("\"task\":%s,", TextNode.valueOf(key));
        String line = String.format("{%s\"shardsUnread\":%d,\"shardsLost\":%d}", of, shardsUnread, shardsLost);
        if (!say(line, () -> telling.remove(key))) {
            telling.remove(key);
        }
    }

    /** Lets the process send its last figures, and waits up to {@code millis} for that. */
    public void close(long millis) {
        close();
        await(millis);
    }

    private static void sayLost(String end, long againSeconds) {
        Event.warning("metrics_process_ended").with("end", end).with("again_in_seconds", againSeconds)
                .note("Replication goes on; metrics are missing until the process that tells them is started again. "
                        + "replication.log has what it said.");
    }
}
