package replicator.leases;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * Decides which leases a daemon of many tasks takes, so that each of the fleet's daemons has its share of all tasks, and
 * one daemon has a shard for all tasks that read it. One for the process; a daemon of one task goes by KCL's own rule.
 *
 * <p>The other daemons are known by what they hold in any of the tasks' tables, so nothing is written for it. A daemon that
 * holds nothing yet is known to itself alone: it takes its share, and then the others see it. That is why a lease is never
 * given away, and always taken by the one that should have it:
 *
 * <ul>
 *   <li>What nobody renews is taken at once by the daemon that the {@link PlacementPlan} of the living names, without the
 *       last owner; a failover time later by anybody.
 *   <li>What another one renews is taken from it only if the plan has named this daemon, and that one has had it, for two
 *       failover times, and no new task was begun meanwhile; and only where something is gained: the other has more than this one and than the plan gives it,
 *       of all leases or of the stream's shards, or tasks of one stream are with different daemons for this shard.
 * </ul>
 *
 * <p>Daemons whose tasks differ may find different plans, and take a lease from each other in turn. Each time it
 * takes twice as long.
 */
public final class Placement {
    /** Each shard that moves waits for its last owner's term; so they move one after the other. */
    private static final long PULLS_APART_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    /** Of a task whose table can't be scanned nobody knows who lives; no two scans are further apart. */
    private static final int STALE_AFTER_FAILOVERS = 6;

    private static final long PULLS_FORGOTTEN_NANOS = TimeUnit.HOURS.toNanos(2);
    private static final int MOST_DOUBLINGS = 9;

    private final String daemon;
    private final LongSupplier nanos;
    private final LongSupplier newestTaskNanos;
    private final MovedLeases moved;
    private final Map<LeaseChoice, Look> looks = new HashMap<>();
    private final Map<String, Map<PlacementPlan.StreamShard, String>> plansWithout = new HashMap<>();
    private final Map<PlacementPlan.StreamShard, Long> plannedSince = new HashMap<>();
    private final Map<LeaseChoice, Map<String, Pulls>> pulls = new HashMap<>();
    private Set<String> living = Set.of();
    private Map<PlacementPlan.StreamShard, Integer> leases = Map.of();
    private Map<PlacementPlan.StreamShard, String> plan = Map.of();
    private final Map<PlacementPlan.StreamShard, Set<String>> holders = new HashMap<>();
    private final Map<String, Integer> loads = new HashMap<>();
    private final Map<String, Map<String, Integer>> streamLoads = new HashMap<>();
    private final Map<String, Integer> plannedLoads = new HashMap<>();
    private final Map<String, Map<String, Integer>> plannedStreamLoads = new HashMap<>();
    private long summedNanos;
    private long lastPullNanos;
    private boolean hasPulled;

    /**
     * @param daemon its id, which is its worker id in all of its tasks
     * @param nanos the clock, as {@code System.nanoTime} is one
     * @param newestTaskNanos when the process was last told of a task that it had not had
     * @param moved told of each lease that was taken from a living daemon
     */
    Placement(String daemon, LongSupplier nanos, LongSupplier newestTaskNanos, MovedLeases moved) {
        this.daemon = daemon;
        this.nanos = nanos;
        this.newestTaskNanos = newestTaskNanos;
        this.moved = moved;
    }

    /** What a task saw of its table last. */
    private static final class Look {
        private final Map<String, LeaseChoice.Seen> shards;
        private final long atNanos;

        Look(Map<String, LeaseChoice.Seen> shards, long atNanos) {
            this.shards = shards;
            this.atNanos = atNanos;
        }

        boolean isAs(Map<String, LeaseChoice.Seen> others) {
            return shards.keySet().equals(others.keySet())
                    && shards.entrySet().stream().allMatch(each -> each.getValue().isAs(others.get(each.getKey())));
        }
    }

    /** How often a lease was taken from another daemon. */
    private static final class Pulls {
        private int count;
        private long atNanos;
        private boolean isUnderWay;
    }

    /**
     * @param task whose table was looked at
     * @param shards its shards that are not finished, with what is seen of their leases
     * @return those whose leases are to be taken
     */
    synchronized Set<String> choose(LeaseChoice task, Map<String, LeaseChoice.Seen> shards) {
        long now = nanos.getAsLong();
        Look before = looks.put(task, new Look(shards, now));
        if (before == null || !before.isAs(shards) || now - summedNanos >= task.failoverNanos() / 2) { // looks also grow old
            sum(now);
        }
        Set<String> chosen = new HashSet<>();
        shards.forEach((shardId, seen) -> {
            noteOurs(task, shardId, seen);
            PlacementPlan.StreamShard shard = new PlacementPlan.StreamShard(task.stream(), shardId);
            boolean isToBeTaken = seen.isLiving()
                    ? !daemon.equals(seen.owner()) && isToBePulled(task, shardId, shard, seen, now)
                    : daemon.equals(preferred(shard, seen)) || now - seen.sinceNanos() >= task.failoverNanos();
            if (isToBeTaken) {
                chosen.add(shardId);
            }
        });
        return chosen;
    }

    /** A lease was taken from a living daemon. */
    void noteMoved(String owner) {
        moved.add(owner);
    }

    synchronized void forget(LeaseChoice task) {
        looks.remove(task);
        pulls.remove(task);
    }

    /** Who should take a lease that nobody renews: its last owner is taken for dead, whatever else it still seems to have. */
    private String preferred(PlacementPlan.StreamShard shard, LeaseChoice.Seen seen) {
        if (seen.owner() == null || daemon.equals(seen.owner()) || !living.contains(seen.owner())) {
            return plan.get(shard);
        }
        return plansWithout.computeIfAbsent(seen.owner(), gone -> {
            Set<String> others = new TreeSet<>(living);
            others.remove(gone);
            return PlacementPlan.of(others, leases);
        }).get(shard);
    }

    private boolean isToBePulled(
            LeaseChoice task, String shardId, PlacementPlan.StreamShard shard, LeaseChoice.Seen seen, long now) {
        long stable = 2 * task.failoverNanos();
        if (now - newestTaskNanos.getAsLong() < stable || !daemon.equals(plan.get(shard)) || now - plannedSince.get(shard) < stable || now - seen.sinceNanos() < stable
                || hasPulled && now - lastPullNanos < PULLS_APART_NANOS || !isGain(shard, seen.owner())) {
            return false;
        }
        Pulls before = pulls.computeIfAbsent(task, each -> new HashMap<>()).computeIfAbsent(shardId, each -> new Pulls());
        if (before.count > 0 && now - before.atNanos < stable << Math.min(before.count, MOST_DOUBLINGS)) {
            return false;
        }
        before.isUnderWay = true;
        before.atNanos = now;
        lastPullNanos = now;
        hasPulled = true;
        return true;
    }

    /** A lease that was renewed at that moment was not taken: that is no reason to wait. */
    private void noteOurs(LeaseChoice task, String shardId, LeaseChoice.Seen seen) {
        Pulls before = pulls.getOrDefault(task, Map.of()).get(shardId);
        if (before != null && before.isUnderWay && daemon.equals(seen.owner())) {
            before.isUnderWay = false;
            before.count++;
        }
    }

    private boolean isGain(PlacementPlan.StreamShard shard, String owner) {
        return holders.get(shard).size() > 1
                || isGain(loads, plannedLoads, owner, leases.get(shard))
                || isGain(streamLoads.getOrDefault(shard.stream(), Map.of()), plannedStreamLoads.get(shard.stream()), owner, 1);
    }

    /** Whether the owner has too many and this daemon too few, and not only until others have taken what they should. */
    private boolean isGain(Map<String, Integer> are, Map<String, Integer> planned, String owner, int moved) {
        int its = are.getOrDefault(owner, 0);
        int ours = are.getOrDefault(daemon, 0);
        return its - ours > moved && its > planned.getOrDefault(owner, 0) && ours < planned.getOrDefault(daemon, 0);
    }

    /** Everything that follows from all looks. A plan is made anew only where its daemons or its shards are others. */
    private void sum(long now) {
        summedNanos = now;
        Set<String> found = new TreeSet<>(Set.of(daemon));
        Map<PlacementPlan.StreamShard, Integer> counts = new HashMap<>();
        holders.clear();
        loads.clear();
        looks.forEach((task, look) -> {
            boolean isFresh = now - look.atNanos <= STALE_AFTER_FAILOVERS * task.failoverNanos();
            look.shards.forEach((shardId, seen) -> {
                PlacementPlan.StreamShard shard = new PlacementPlan.StreamShard(task.stream(), shardId);
                counts.merge(shard, 1, Integer::sum);
                if (seen.isLiving() && isFresh) {
                    found.add(seen.owner());
                    holders.computeIfAbsent(shard, each -> new HashSet<>()).add(seen.owner());
                    loads.merge(seen.owner(), 1, Integer::sum);
                }
            });
        });
        streamLoads.clear();
        holders.forEach((shard, owners) -> owners.forEach(owner -> count(streamLoads, shard, owner)));
        if (!found.equals(living) || !counts.equals(leases)) {
            living = found;
            leases = counts;
            plansWithout.clear();
            follow(PlacementPlan.of(living, leases), now);
        }
    }

    private static void count(Map<String, Map<String, Integer>> streams, PlacementPlan.StreamShard shard, String owner) {
        streams.computeIfAbsent(shard.stream(), each -> new HashMap<>()).merge(owner, 1, Integer::sum);
    }

    private void follow(Map<PlacementPlan.StreamShard, String> next, long now) {
        plannedSince.keySet().retainAll(next.keySet());
        next.forEach((shard, holder) -> {
            if (!holder.equals(plan.get(shard))) {
                plannedSince.put(shard, now);
            }
        });
        plan = next;
        plannedLoads.clear();
        plannedStreamLoads.clear();
        plan.forEach((shard, holder) -> {
            plannedLoads.merge(holder, leases.get(shard), Integer::sum);
            count(plannedStreamLoads, shard, holder);
        });
        pulls.values().forEach(each -> each.values()
                .removeIf(pull -> now - pull.atNanos > PULLS_FORGOTTEN_NANOS));
    }

    /** For the log: whom this daemon knows to live. */
    synchronized Set<String> living() {
        return living.stream().collect(Collectors.toUnmodifiableSet());
    }
}
