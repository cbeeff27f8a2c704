package replicator.shard;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import replicator.log.Event;
import replicator.process.TaskThreads;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/** Logs one line a minute for the whole daemon, so that a healthy process never looks like a hanging one. */
public final class Progress {
    private static final long INTERVAL_SECONDS = 60;

    private final RecordTimes times;
    private final AtomicLong records = new AtomicLong();
    private final AtomicLong maxLagMillis = new AtomicLong();
    private volatile Supplier<Collection<Lease>> shards = List::of;
    private final Holds holds;

    /**
     * @param times of the source's records
     * @param holds which shards can't go on
     */
    public Progress(RecordTimes times, Holds holds) {
        this.times = times;
        this.holds = holds;
    }

    /** From now on, there is a line a minute. */
    public void start() {
        TaskThreads.timer("progress")
                .scheduleAtFixedRate(this::report, INTERVAL_SECONDS, INTERVAL_SECONDS, TimeUnit.SECONDS);
    }

    /** Counts records that are applied; the lag is from the write at the source to now. */
    void add(List<KinesisClientRecord> applied) {
        records.addAndGet(applied.size());
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

    private void report() {
        long count = records.getAndSet(0);
        long lag = maxLagMillis.getAndSet(0);
        Collection<Lease> read = shards.get();
        if (count > 0 || !read.isEmpty()) {
            long held = holds.held(read);
            long failing = holds.failing(read);
            Event.info("progress").with("shards", read.size()).with("records", count).with("seconds", INTERVAL_SECONDS)
                    .with("max_lag_ms", count > 0 ? lag : null)
                    .with("lag_about", count > 0 && times.rounded() ? true : null)
                    .with("shards_held", held > 0 ? held : null).with("shards_failing", failing > 0 ? failing : null)
                    .note(said(count, read.size(), held, failing));
        } else {
            Event.notice("standby").note("This daemon holds no shard: others of its task have them all, or the checkpoint "
                    + "table can't be used (kcl.log says so).");
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
