package replicator.shard;

import java.util.Optional;
import replicator.process.Exit;
import replicator.rows.Row;
import replicator.rows.TaskTable;

/**
 * Keeps shards from beginning while a copy is under way that was not begun to be made beside a replication: it could put
 * an older item over what a child writes, for good.
 *
 * <p>The preflight looks for such a copy too, but one may begin after that. A copy first writes its row and then looks for
 * leases that are renewed; a daemon first takes a lease and then looks for the row. So one of them sees the other.
 */
public final class CopyGate {
    private final TaskTable taskTable;
    private final Exit exit;

    /**
     * @param taskTable where {@code processor/state/copy_rows.py} keeps the row
     * @param exit taken where such a copy is under way
     */
    public CopyGate(TaskTable taskTable, Exit exit) {
        this.taskTable = taskTable;
        this.exit = exit;
    }

    /** Ends the daemon where such a copy is under way; throws what keeps it from knowing, so that KCL tries again. */
    void check() {
        Optional<String> unfinished = unfinished(taskTable.row("copy"));
        if (unfinished.isPresent()) {
            throw exit.fail("copy_unfinished", unfinished.get());
        }
    }

    /** What is said of such a copy, by its row; empty where there is none. */
    static Optional<String> unfinished(Row row) {
        if (row.isMissing() || !row.text("state").equals("running") || row.flag("concurrent")) {
            return Optional.empty();
        }
        String beside = row.text("via", "").isEmpty() ? ", or go on with copy --concurrent" : "";
        return Optional.of("A copy of this task, begun by " + row.text("host", "") + ", is not through, and was "
                + "not begun to be made beside a replication: it could put older items over newer ones. Nothing of this "
                + "shard was written. Let copy finish" + beside + ", or give it up with copy --forget; then start again.");
    }
}
