package replicator.shard;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import replicator.log.Event;
import replicator.process.TaskThreads;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * Logs one line a minute for the whole task, so that a healthy process never looks like a hanging one; the first line soon
 * after the start, and one at the end. One of several tasks without a shard here, as most of them are in a fleet, says so once.
 */
public final class Progress {
    private static final long INTERVAL_SECONDS = 60;

    /** When the first line comes: soon, for whoever watches a first start. */
    private static final long FIRST_SECONDS = 10;

    /** How many looks, a second apart, find no shard before the daemon calls itself a standby. */
    private static final int STANDBY_LOOKS = 3;

    private final long begun = System.nanoTime();
    private final AtomicLong total = new AtomicLong();
    private final RecordTimes times;
    private final AtomicLong records = new AtomicLong();
    private final AtomicLong maxLagMillis = new AtomicLong();
    private volatile Supplier<Collection<Lease>> shards = List::of;
    private final Holds holds;
    private long reported = begun;
    private int emptyLooks;
    private final boolean hasNeighbours;
    private boolean isStandby;

    /**
     * @param times of the source's records
     * @param holds which shards can't go on
     * @param hasNeighbours whether it is one of several tasks of its process
     */
    public Progress(RecordTimes times, Holds holds, boolean hasNeighbours) {
        this.times = times;
        this.holds = holds;
        this.hasNeighbours = hasNeighbours;
    }

    /**
     * From now on, there is a line a minute.
     *
     * @param running whether KCL runs: before that, no shard is held
     */
    public void start(BooleanSupplier running) {
        ScheduledExecutorService timer = TaskThreads.timer("progress");
        timer.scheduleAtFixedRate(this::report, FIRST_SECONDS, INTERVAL_SECONDS, TimeUnit.SECONDS);
        timer.schedule(() -> look(timer, running), 1, TimeUnit.SECONDS);
    }

    /** Says at once where there is no shard for this daemon. */
    private void look(ScheduledExecutorService timer, BooleanSupplier running) {
        if (running.getAsBoolean()) {
            if (!shards.get().isEmpty()) {
                return;
            }
            if (++emptyLooks == STANDBY_LOOKS) {
                standby();
                return;
            }
        }
        timer.schedule(() -> look(timer, running), 1, TimeUnit.SECONDS);
    }

    /** Counts records that are applied; the lag is from the write at the source to now. */
    void add(List<KinesisClientRecord> applied) {
        records.addAndGet(applied.size());
        total.addAndGet(applied.size());
        if (!applied.isEmpty()) {
            Instant oldest = applied.get(0).approximateArrivalTimestamp();
            times.see(oldest);
            maxLagMillis.accumulateAndGet(Duration.between(oldest, Instant.now()).toMillis(), Math::max);
        }
    }

    /** @param supplier the leases of the shards that this daemon reads now */
    public void shards(Supplier<Collection<Lease>> supplier) {
        shards = supplier;
    }

    /** Says what the daemon has applied, when all of it is checkpointed and its shards are given back. */
    public void stopped() {
        Event.notice("daemon_stopped").with("records", total.get()).with("seconds", seconds(begun, System.nanoTime()))
                .note("Stopped: what was read is applied and checkpointed, and the shards are given back. The next start "
                        + "resumes from there.");
    }

    private static long seconds(long from, long to) {
        return TimeUnit.NANOSECONDS.toSeconds(to - from);
    }

    private void standby() {
        isStandby = true;
        Event.notice("standby").note("This daemon holds no shard: others of its task have them all, or the checkpoint "
                + "table can't be used (checkpoints_unusable says so).");
    }

    void report() {
        boolean first = reported == begun;
        long now = System.nanoTime();
        long seconds = seconds(reported, now);
        reported = now;
        long count = records.getAndSet(0);
        long lag = maxLagMillis.getAndSet(0);
        Collection<Lease> read = shards.get();
        if (count > 0 || !read.isEmpty()) {
            isStandby = false;
            long held = holds.held(read);
            long failing = holds.failing(read);
            Event.info("progress").with("shards", read.size()).with("records", count).with("seconds", seconds)
                    .with("max_lag_ms", count > 0 ? lag : null)
                    .with("lag_about", count > 0 && times.rounded() ? true : null)
                    .with("shards_held", held > 0 ? held : null).with("shards_failing", failing > 0 ? failing : null)
                    .note(said(count, read.size(), held, failing));
        } else if (!first && !(isStandby && hasNeighbours)) { // the first looks have said it
            standby();
        }
    }

    private static String said(long count, int read, long held, long failing) {
        List<String> parts = new ArrayList<>();
        if (held > 0) {
            parts.add(held + " wait at a change that a person must see to (the event held says which)");
        }
        if (failing > 0) {
            parts.add("the writes of " + failing + " fail (the event writes_delayed says why)");
        }
        if (!parts.isEmpty()) {
            return "of " + read + " shards " + String.join(", and ", parts);
        }
        return count > 0 ? "replicating" : "replicating: no records in that time";
    }
}
