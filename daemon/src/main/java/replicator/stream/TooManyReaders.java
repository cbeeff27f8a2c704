package replicator.stream;

import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import replicator.log.Event;
import replicator.log.Outage;
import software.amazon.awssdk.services.dynamodb.model.LimitExceededException;

/**
 * Says that reads of the stream are refused because others read its shards, too: AWS lets two read a shard at once, and one
 * where the table is a replica of a global table. No metric of AWS's shows it.
 *
 * <pre>
 *   first refusal     5 s            at a refusal, after 1, 2, 4 ... 60 minutes     60 s without a refusal
 *   │ nothing is said │ said once    │ said again                                   │ "_over"
 * </pre>
 *
 * <p>Refusals of less than five seconds are said by nobody: {@code status} makes a few reads of its own, and each read that is
 * refused is repeated. All shards share one of these.
 */
final class TooManyReaders {
    static final long LASTING_NANOS = 5_000_000_000L;
    static final long QUIET_NANOS = 60_000_000_000L;
    private static final long LONGEST_NANOS = 3_600_000_000_000L;

    private static final String NOTE = "AWS refuses reads of this stream because more than two processes read one of its shards, or "
            + "more than one where the table is a replica of a global table. Nothing is lost while its records last (24 hours), and each "
            + "read is repeated, but changes arrive later. Find out what else reads the stream: other tasks of this table, Lambda "
            + "functions, status at short intervals.";

    private final LongSupplier nanos;
    private final Set<String> shards = new TreeSet<>();
    private volatile boolean isRefused;
    private long refused;
    private long since;
    private long last;
    private long nextReport;
    private long interval;
    private boolean isSaid;

    /** @param nanos the clock, as {@code System.nanoTime} is one */
    TooManyReaders(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /** Whether the error, or a cause of it, says that. */
    static boolean isMeant(Throwable error) {
        for (Throwable each = error; each != null; each = each.getCause()) {
            if (each instanceof LimitExceededException) {
                return true;
            }
        }
        return false;
    }

    /**
     * @param operation as "GetRecords"
     * @param shardId null where the call is not about one, or doesn't say so
     */
    synchronized void refused(String operation, String shardId, Exception error) {
        long now = nanos.getAsLong();
        if (isRefused && now - last >= QUIET_NANOS) {
            end();
        }
        if (!isRefused) {
            isRefused = true;
            since = now;
            nextReport = now + LASTING_NANOS;
            interval = QUIET_NANOS;
        }
        last = now;
        refused++;
        if (shardId != null) {
            shards.add(shardId);
        }
        if (now - nextReport >= 0) {
            isSaid = true;
            nextReport = now + interval;
            interval = Math.min(2 * interval, LONGEST_NANOS);
            say(operation, error, now);
        }
    }

    private void say(String operation, Exception error, long now) {
        Event event = Event.warning("too_many_readers").with("operation", operation).with("refused", refused)
                .with("seconds", (now - since) / 1_000_000_000);
        if (!shards.isEmpty()) {
            event = event.with("shards", shards.size()).with("shard", shards.iterator().next());
        }
        event.with("error", Outage.code(error)).with("reason", Outage.cut(error.getMessage())).note(NOTE);
    }

    /** A read was answered. */
    void answered() {
        if (isRefused) { // else no lock: this is called for each page
            endIfQuiet();
        }
    }

    private synchronized void endIfQuiet() {
        if (isRefused && nanos.getAsLong() - last >= QUIET_NANOS) {
            end();
        }
    }

    private void end() {
        if (isSaid) {
            Event.notice("too_many_readers_over").with("refused", refused).with("seconds", (last - since) / 1_000_000_000)
                    .note("Reads of the stream were not refused for a minute.");
        }
        isRefused = false;
        isSaid = false;
        refused = 0;
        shards.clear();
    }
}
