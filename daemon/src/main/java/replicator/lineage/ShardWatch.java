package replicator.lineage;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import replicator.leases.FleetLeaseRefresher;
import replicator.log.Event;
import replicator.process.TaskThreads;
import replicator.stream.GuardedStreamsClient;
import replicator.stream.StreamListing;
import replicator.stream.StreamListings;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.kinesis.leases.Lease;

/**
 * Compares the stream's shards with the leases of all daemons, and says which shards nobody reads.
 *
 * <p>The adapter makes leases where a shard ends and every few minutes, and leaves out what it doesn't understand; a worker
 * without leases idles in silence. A shard that nobody reads loses its records after 24 hours, so leases that are missing
 * are asked for here, and what stays unread for a minute ({@link UnreadShards}) is said: once in a fleet, by the daemon whose
 * worker id comes first among those that renew leases, or by each while there is none. The others look too, for their
 * metrics, but list the stream more seldom ({@link ListingPace}).
 */
public final class ShardWatch {
    private static final long LOOK_SECONDS = 20;
    private static final long FIRST_INTERVAL_MILLIS = 300_000;
    private static final long LAST_INTERVAL_MILLIS = 3_600_000;
    private static final Logger LOG = LoggerFactory.getLogger(ShardWatch.class);

    private final GuardedStreamsClient stream;
    private final StreamListings listings;
    private final Callable<List<Lease>> leaseTable;
    private final WrongLeases wrongLeases;
    private final String workerId;
    private final Callable<?> makeLeases;
    private final IntConsumer unreadCount;
    private final UnreadShards unread = new UnreadShards(System::nanoTime);
    private Set<String> saidOf = Set.of();
    private long nextReport;
    private long interval;
    private boolean wasDone;
    private StreamListing lastListing;
    private long listedNanos;

    /**
     * @param leaseTable lists all leases, those of finished shards too
     * @param makeLeases makes the leases that shards lack, as KCL's shard sync does
     * @param unreadCount is told at each look how many shards have been unread for too long
     */
    public ShardWatch(
            GuardedStreamsClient stream,
            StreamListings listings,
            Callable<List<Lease>> leaseTable,
            WrongLeases wrongLeases,
            String workerId,
            Callable<?> makeLeases,
            IntConsumer unreadCount) {
        this.stream = stream;
        this.listings = listings;
        this.leaseTable = leaseTable;
        this.wrongLeases = wrongLeases;
        this.workerId = workerId;
        this.makeLeases = makeLeases;
        this.unreadCount = unreadCount;
    }

    public void start() {
        TaskThreads.timer("shard-watch")
                .scheduleWithFixedDelay(this::lookAndSay, LOOK_SECONDS, LOOK_SECONDS, TimeUnit.SECONDS);
    }

    private void lookAndSay() {
        try {
            look();
        } catch (ResourceNotFoundException e) { // nobody else may be reading, as where all shards are finished
            stream.endIfStreamIsGone();
        } catch (Exception e) { // neither can be compared while one is away; whoever reads or renews says that it is
            LOG.debug("Shards and leases can't be compared", e);
        }
    }

    /** One look at the leases, and at the stream where its listing is due. */
    void look() throws Exception {
        Map<String, Lease> leases = leaseTable.call().stream().collect(Collectors.toMap(Lease::leaseKey, lease -> lease));
        boolean speaks = workerId.equals(unread.see(leases).stream()
                .map(shardId -> leases.get(shardId).leaseOwner()).min(String::compareTo).orElse(workerId));
        if (isDue(leases, speaks)) {
            list(leases, speaks);
        }
        Set<String> forLong = unread.forLong();
        unreadCount.accept(forLong.size() + wrongLeases.finishedButOpen());
        report(forLong, leases, speaks);
    }

    private void list(Map<String, Lease> leases, boolean speaks) throws Exception {
        StreamListing listing = listings.look();
        lastListing = listing;
        listedNanos = System.nanoTime();
        Lineage lineage = new Lineage(listing, leases);
        wrongLeases.look(listing, lineage, leases, speaks);
        if (speaks && !lineage.unread().isEmpty()) {
            LOG.debug("Shards {} lack leases", lineage.unread());
            makeLeases.call();
        }
        unread.listed(lineage.unread(), leases);
        endIfAllIsDone(listing, lineage, leases);
    }

    private boolean isDue(Map<String, Lease> leases, boolean speaks) {
        if (lastListing == null) {
            return true;
        }
        int daemons = (int) leases.values().stream().map(Lease::leaseOwner).filter(Objects::nonNull).distinct().count();
        return System.nanoTime() - listedNanos
                >= ListingPace.nanos(lastListing.shards().size(), daemons, speaks,
                        unread.isAnyLacking() || wrongLeases.finishedButOpen() > 0);
    }

    private void report(Set<String> shardIds, Map<String, Lease> leases, boolean speaks) {
        long now = System.currentTimeMillis();
        if (shardIds.isEmpty()) {
            if (!saidOf.isEmpty()) {
                Event.notice("shards_unread_over").note("Every shard is read again.");
            }
            saidOf = Set.of();
            return;
        }
        boolean news = !saidOf.containsAll(shardIds);
        if (!speaks || (!news && now < nextReport)) {
            return;
        }
        interval = news ? FIRST_INTERVAL_MILLIS : Math.min(interval * 2, LAST_INTERVAL_MILLIS);
        nextReport = now + interval;
        saidOf = shardIds;
        String which = shardIds.stream().limit(5)
                .map(shardId -> shardId + (leases.containsKey(shardId) ? " (nobody renews its lease)" : " (it has no lease)"))
                .collect(Collectors.joining(", "));
        Event.warning("shards_unread").with("count", shardIds.size()).with("seconds", unread.longestSeconds())
                .with("shards", which + (shardIds.size() > 5 ? ", ..." : ""))
                .note(String.format("No daemon reads %d of the stream's shards. Their changes are lost when they are 24 hours "
                        + "old. Start one more daemon; if maxLeasesForWorker is set, raise it; if that doesn't help, "
                        + "restart this one, and look into kcl.log.", shardIds.size()));
    }

    /** KCL would idle for ever; a new stream of the same table has another name. Two looks must agree. */
    private void endIfAllIsDone(StreamListing listing, Lineage lineage, Map<String, Lease> leases) {
        boolean done = listing.isDisabled() && !leases.isEmpty()
                && leases.values().stream().allMatch(FleetLeaseRefresher::isFinished)
                && lineage.unread().isEmpty();
        if (done && wasDone) {
            throw stream.finished();
        }
        wasDone = done;
    }
}
