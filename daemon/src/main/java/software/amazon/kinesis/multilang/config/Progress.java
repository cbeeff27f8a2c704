package software.amazon.kinesis.multilang.config;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/** One line a minute for the whole daemon, so that a healthy process never looks like a hanging one. */
final class Progress {
    private static final long INTERVAL_SECONDS = 60;

    private final RecordTimes times;
    private final AtomicLong records = new AtomicLong();
    private final AtomicLong maxLagMillis = new AtomicLong();
    private volatile IntSupplier shards = () -> 0;

    /** @param times of the source's records */
    Progress(RecordTimes times) {
        this.times = times;
        Executors.newSingleThreadScheduledExecutor(new DaemonThreads("progress"))
                .scheduleAtFixedRate(this::report, INTERVAL_SECONDS, INTERVAL_SECONDS, TimeUnit.SECONDS);
    }

    /** Counts records that are applied and checkpointed; the lag is from the write at the source to now. */
    void add(List<KinesisClientRecord> applied) {
        records.addAndGet(applied.size());
        if (!applied.isEmpty()) {
            Instant oldest = applied.get(0).approximateArrivalTimestamp();
            times.see(oldest);
            maxLagMillis.accumulateAndGet(Duration.between(oldest, Instant.now()).toMillis(), Math::max);
        }
    }

    /** @param supplier how many shards this daemon holds now */
    void shards(IntSupplier supplier) {
        shards = supplier;
    }

    private void report() {
        long count = records.getAndSet(0);
        long lag = maxLagMillis.getAndSet(0);
        int held = shards.getAsInt();
        if (count > 0) {
            Event.info("progress").with("shards", held).with("records", count).with("seconds", INTERVAL_SECONDS)
                    .with("max_lag_ms", lag).with("lag_about", times.rounded() ? true : null).note("replicating");
        } else if (held > 0) {
            Event.info("progress").with("shards", held).with("records", 0).with("seconds", INTERVAL_SECONDS)
                    .note("replicating: no records in that time");
        } else {
            Event.notice("standby").note("This daemon holds no shard: others of its task have them all, or the checkpoint "
                    + "table can't be used (kcl.log says so).");
        }
    }
}
