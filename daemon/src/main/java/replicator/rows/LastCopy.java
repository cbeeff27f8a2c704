package replicator.rows;

/**
 * The task's newest copy, as {@code processor/state/copy_rows.py} keeps it, looked up every few seconds at most.
 *
 * <p>Of an uplink it is its mirror's, which has brought the hub's items to the spoke.
 */
public final class LastCopy {
    private static final String ROW = "copy";
    private static final long LOOK_MILLIS = 5_000;

    /** How much the clocks of two machines may differ. Changes that are lost are far older than that. */
    private static final long CLOCKS_DIFFER_MILLIS = 60_000;

    /** The stream keeps a change for a day: an older copy leaves a gap of its own (copy/estimate.py, LAST_SECONDS). */
    private static final long USEFUL_MILLIS = 23_500L * 3_600;

    private final TaskTable table;
    private final String streamArn; // null: of whatever stream
    private Row row;
    private long lookedAt;

    private LastCopy(TaskTable table, String streamArn) {
        this.table = table;
        this.streamArn = streamArn;
    }

    /** That of a table whose stream this is. */
    public static LastCopy of(TaskTable table, String streamArn) {
        return new LastCopy(table, streamArn);
    }

    /** That of the other direction of a two-way task, whose copies are of the hub. */
    public static LastCopy ofMirror(TaskTable table) {
        return new LastCopy(table, null);
    }

    /** Whether it is of the other direction. */
    public boolean isOfMirror() {
        return streamArn == null;
    }

    /**
     * Whether a copy that is complete was begun after a loss, and the stream still has all changes since it began.
     *
     * @throws RuntimeException if the task table can't be read, or its row isn't as a copy writes it
     */
    public synchronized boolean covers(long lostMillis) {
        long now = System.currentTimeMillis();
        if (row == null || now - lookedAt >= LOOK_MILLIS) {
            row = table.row(ROW);
            lookedAt = now;
        }
        if (row.isMissing() || !row.text("state").equals("done")) {
            return false;
        }
        if (streamArn != null && !row.text("streamArn").equals(streamArn)) {
            return false;
        }
        long begun = row.millis("startedMs");
        return begun > lostMillis - CLOCKS_DIFFER_MILLIS && begun > now - USEFUL_MILLIS;
    }
}
