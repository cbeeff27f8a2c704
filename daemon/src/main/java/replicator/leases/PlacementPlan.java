package replicator.leases;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;

/**
 * Which daemon of a fleet of many tasks each shard should be with: rendezvous hashing with bounded loads. Pure.
 *
 * <p>Every daemon computes it alone from the same names and finds the same. A weight, which is a hash of a daemon's and a
 * shard's names, says how much the shard would like that daemon; shards go where they would like to be, the strongest wish
 * first, within two bounds:
 *
 * <ul>
 *   <li>the shards of one stream are spread evenly: no daemon has two of them more than another;
 *   <li>no daemon gets more than a tenth above its share of all leases. Without that, three daemons of 60 tasks would have
 *       anything from 11 to 32 of them.
 * </ul>
 *
 * <p>When a daemon comes or goes, its share moves, and seldom another shard (measured: fewer than one of 60 on average).
 */
final class PlacementPlan {
    private static final int MOST_PERCENT_OF_SHARE = 110;

    private PlacementPlan() {}

    /** A shard of a stream, whatever the number of tasks that read it. */
    static final class StreamShard {
        private final String stream;
        private final String shardId;

        StreamShard(String stream, String shardId) {
            this.stream = stream;
            this.shardId = shardId;
        }

        String stream() {
            return stream;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof StreamShard && ((StreamShard) other).shardId.equals(shardId)
                    && ((StreamShard) other).stream.equals(stream);
        }

        @Override
        public int hashCode() {
            return Objects.hash(stream, shardId);
        }
    }

    private static final class Wish {
        private final StreamShard shard;
        private final String daemon;
        private final long weight;

        Wish(StreamShard shard, String daemon, long weight) {
            this.shard = shard;
            this.daemon = daemon;
            this.weight = weight;
        }
    }

    /**
     * @param daemons the ids of those that live; not empty
     * @param leases how many each shard has: one for each task that reads it
     * @return each shard's daemon
     */
    static Map<StreamShard, String> of(Collection<String> daemons, Map<StreamShard, Integer> leases) {
        List<Wish> wishes = wishes(new TreeSet<>(daemons), leases.keySet());
        Room room = new Room(new TreeSet<>(daemons), leases);
        Map<StreamShard, String> plan = new HashMap<>();
        for (Wish wish : wishes) {
            if (!plan.containsKey(wish.shard) && room.isWithinBoth(wish)) {
                room.take(wish, plan);
            }
        }
        Comparator<Wish> leastLoaded = Comparator.comparingInt(room::load);
        while (plan.size() < leases.size()) { // what is left fits nowhere within the bound of all
            Wish best = wishes.stream().filter(wish -> !plan.containsKey(wish.shard) && room.isWithinStream(wish))
                    .min(leastLoaded).orElseThrow(() -> new IllegalStateException("BUG: streams' bounds have room for all"));
            room.take(best, plan);
        }
        return plan;
    }

    /** The strongest first. */
    private static List<Wish> wishes(Collection<String> daemons, Collection<StreamShard> shards) {
        Map<String, Long> hashes = new HashMap<>();
        daemons.forEach(daemon -> hashes.put(daemon, hash(daemon)));
        List<Wish> wishes = new ArrayList<>();
        for (StreamShard shard : shards) {
            long hash = mixed(hash(shard.stream) ^ Long.rotateLeft(hash(shard.shardId), 32));
            daemons.forEach(daemon -> wishes.add(new Wish(shard, daemon, mixed(hash ^ hashes.get(daemon)))));
        }
        wishes.sort(Comparator.<Wish>comparingLong(wish -> wish.weight).reversed().thenComparing(wish -> wish.daemon)
                .thenComparing(wish -> wish.shard.stream).thenComparing(wish -> wish.shard.shardId));
        return wishes;
    }

    /** FNV-1a, of 64 bits: the same in every JVM. */
    private static long hash(String text) {
        long hash = 0xcbf29ce484222325L;
        for (byte each : text.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (each & 0xff)) * 0x100000001b3L;
        }
        return mixed(hash);
    }

    /** SplitMix64's last steps: every bit of the result depends on every bit. */
    private static long mixed(long bits) {
        long mixed = (bits ^ (bits >>> 30)) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
        return mixed ^ (mixed >>> 31);
    }

    /** How many more each daemon may have. */
    private static final class Room {
        private final int daemons;
        private final Map<StreamShard, Integer> leases;
        private final int most;
        private final Map<String, Integer> loads = new HashMap<>();
        private final Map<String, Integer> shardsOf = new HashMap<>();
        private final Map<String, Map<String, Integer>> shardsAt = new HashMap<>();
        private final Map<String, Integer> withOneMore = new HashMap<>();

        Room(Collection<String> daemons, Map<StreamShard, Integer> leases) {
            this.daemons = daemons.size();
            this.leases = leases;
            int all = leases.values().stream().mapToInt(each -> each).sum();
            most = (int) Math.ceil(all * MOST_PERCENT_OF_SHARE / 100.0 / this.daemons);
            daemons.forEach(daemon -> loads.put(daemon, 0));
            leases.keySet().forEach(shard -> shardsOf.merge(shard.stream, 1, Integer::sum));
        }

        int load(Wish wish) {
            return loads.get(wish.daemon);
        }

        boolean isWithinBoth(Wish wish) {
            return load(wish) + leases.get(wish.shard) <= most && isWithinStream(wish);
        }

        /** Whether all daemons would still have as many of the stream's shards, or one more. */
        boolean isWithinStream(Wish wish) {
            int shards = shardsOf.get(wish.shard.stream);
            int has = at(wish);
            return has < shards / daemons
                    || has == shards / daemons && withOneMore.getOrDefault(wish.shard.stream, 0) < shards % daemons;
        }

        private int at(Wish wish) {
            return shardsAt.getOrDefault(wish.shard.stream, Map.of()).getOrDefault(wish.daemon, 0);
        }

        void take(Wish wish, Map<StreamShard, String> plan) {
            if (at(wish) == shardsOf.get(wish.shard.stream) / daemons) {
                withOneMore.merge(wish.shard.stream, 1, Integer::sum);
            }
            shardsAt.computeIfAbsent(wish.shard.stream, stream -> new HashMap<>()).merge(wish.daemon, 1, Integer::sum);
            loads.merge(wish.daemon, leases.get(wish.shard), Integer::sum);
            plan.put(wish.shard, wish.daemon);
        }
    }
}
