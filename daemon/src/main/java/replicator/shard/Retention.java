package replicator.shard;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import replicator.log.Event;
import replicator.process.TaskThreads;

/**
 * Warns when a shard's oldest unapplied record is 50, 75 and 90 % of 24 hours old: after 24 hours the stream drops it. It looks
 * at each batch, and repeatedly while a batch takes long.
 */
public final class Retention {
    /** DynamoDB developer guide, "Change data capture for DynamoDB Streams". */
    private static final Duration KEPT = Duration.ofHours(24);

    private static final int[] PERCENTS = {50, 75, 90};
    private static final long INTERVAL_SECONDS = 60;

    private final Clock clock;
    private final Map<String, Instant> inHand = new ConcurrentHashMap<>();
    private final Map<String, Integer> said = new ConcurrentHashMap<>();

    public Retention(Clock clock) {
        this.clock = clock;
    }

    /** From now on, batches that take long are looked at meanwhile. */
    public void start() {
        TaskThreads.timer("retention")
                .scheduleAtFixedRate(() -> inHand.forEach(this::look), INTERVAL_SECONDS, INTERVAL_SECONDS, TimeUnit.SECONDS);
    }

    /** A batch is about to be applied, whose first record was written at {@code oldest}. */
    void begin(String shardId, Instant oldest) {
        inHand.put(shardId, oldest);
        look(shardId, oldest);
    }

    /** It is applied, or no longer ours. */
    void end(String shardId) {
        inHand.remove(shardId);
    }

    private void look(String shardId, Instant oldest) {
        Duration age = Duration.between(oldest, clock.instant());
        int reached = 0;
        for (int percent : PERCENTS) {
            if (age.toMillis() >= KEPT.toMillis() / 100 * percent) {
                reached = percent;
            }
        }
        Integer before = reached > 0 ? said.put(shardId, reached) : said.remove(shardId);
        if (reached > (before == null ? 0 : before)) {
            Event.warning("shard_behind").with("shard", shardId).with("lag_ms", age.toMillis()).with("percent", reached)
                    .note(String.format("The shard is %d h %d min behind: over %d %% of the 24 hours for which its stream "
                            + "keeps a record. What is not applied by then is lost. Look for writes_delayed in "
                            + "replication.log; give the destination more capacity, or the task more daemons.",
                            age.toHours(), age.toMinutesPart(), reached));
        }
    }
}
