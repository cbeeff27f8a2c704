package software.amazon.kinesis.multilang.config;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/** One line a minute for the whole daemon, so that a healthy process never looks like a hanging one. */
final class Progress {
    private static final long INTERVAL_SECONDS = 60;
    private static final Logger LOG = LoggerFactory.getLogger(DynamoDBStreamsMultiLangDaemon.class);

    private final AtomicLong records = new AtomicLong();
    private final AtomicLong maxLagMillis = new AtomicLong();

    Progress() {
        Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "progress");
            thread.setDaemon(true);
            return thread;
        }).scheduleAtFixedRate(this::report, INTERVAL_SECONDS, INTERVAL_SECONDS, TimeUnit.SECONDS);
    }

    /** Counts records that are applied and checkpointed; the lag is from the write at the source to now. */
    void add(List<KinesisClientRecord> applied) {
        records.addAndGet(applied.size());
        if (!applied.isEmpty()) {
            Instant oldest = applied.get(0).approximateArrivalTimestamp();
            maxLagMillis.accumulateAndGet(Duration.between(oldest, Instant.now()).toMillis(), Math::max);
        }
    }

    private void report() {
        LOG.info("replicating: {} records in the last {} s, at most {} ms behind the source",
                records.getAndSet(0), INTERVAL_SECONDS, maxLagMillis.getAndSet(0));
    }
}
