package replicator.lineage;

import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import replicator.leases.FleetLeaseRefresher;
import software.amazon.kinesis.leases.Lease;

/**
 * Finds the shards that nobody reads, and since when. It is shown the leases at each look, and now and then a listing of the
 * stream, which costs calls.
 *
 * <p>A shard is unread while its lease is not renewed from one look to the next, or while it lacks a lease that it ought to
 * have. A shard that is read to its end, or waits for its parent, is not. A shard that changes its owner may look unread
 * once, so only one that was so at each look for a minute counts.
 */
final class UnreadShards {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final LongSupplier nanos;
    private final Map<String, Long> since = new TreeMap<>();
    private Map<String, Long> counters = Map.of();
    private Set<String> renewed = Set.of();
    private Set<String> lacking = Set.of();

    /** @param nanos the clock, as {@code System.nanoTime} is one */
    UnreadShards(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /**
     * A look at the leases of all daemons, by shard.
     *
     * @return the shards whose leases were renewed since the last look; at the first one, all that have an owner
     */
    Set<String> see(Map<String, Lease> leases) {
        Map<String, Long> before = counters;
        counters = new HashMap<>();
        leases.forEach((shardId, lease) -> counters.put(shardId, lease.leaseCounter()));
        renewed = leases.keySet().stream()
                .filter(shardId -> leases.get(shardId).leaseOwner() != null
                        && !counters.get(shardId).equals(before.get(shardId)))
                .collect(Collectors.toSet());
        update(leases);
        return renewed;
    }

    /** A listing of the stream, made at the look whose leases these are: the shards that lack a lease. */
    void listed(Set<String> lackingLeases, Map<String, Lease> leases) {
        lacking = lackingLeases;
        update(leases);
    }

    private void update(Map<String, Lease> leases) {
        Set<String> unread = new TreeSet<>(lacking);
        unread.removeAll(leases.keySet());
        leases.values().stream()
                .filter(lease -> !FleetLeaseRefresher.isFinished(lease) && !waitsForParent(lease, leases))
                .map(Lease::leaseKey)
                .filter(shardId -> !renewed.contains(shardId))
                .forEach(unread::add);
        long now = nanos.getAsLong();
        since.keySet().retainAll(unread);
        unread.forEach(shardId -> since.putIfAbsent(shardId, now));
    }

    private static boolean waitsForParent(Lease lease, Map<String, Lease> leases) {
        return lease.parentShardIds().stream().anyMatch(parent -> isUnfinished(parent, leases));
    }

    private static boolean isUnfinished(String shardId, Map<String, Lease> leases) {
        Lease lease = shardId == null ? null : leases.get(shardId);
        return lease != null && !FleetLeaseRefresher.isFinished(lease);
    }

    /** Whether a shard lacks its lease since the last listing. */
    boolean isAnyLacking() {
        return lacking.stream().anyMatch(since::containsKey);
    }

    /** Those that nobody has read for a minute, in the order of their ids. */
    Set<String> forLong() {
        long now = nanos.getAsLong();
        return since.entrySet().stream()
                .filter(entry -> now - entry.getValue() >= PATIENCE_NANOS)
                .map(Map.Entry::getKey)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** For how long the first of them has been unread, in seconds; 0 where there is none. */
    long longestSeconds() {
        return since.isEmpty() ? 0 : TimeUnit.NANOSECONDS.toSeconds(nanos.getAsLong() - Collections.min(since.values()));
    }
}
