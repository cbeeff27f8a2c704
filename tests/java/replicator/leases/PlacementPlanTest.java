package replicator.leases;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import replicator.leases.PlacementPlan.StreamShard;

/** Where shards should be: evenly, the same for everybody, and mostly where they were. */
class PlacementPlanTest {
    private static final int DRAWS = 200;

    private static List<String> daemons(int draw, int count) {
        return IntStream.range(0, count).mapToObj(each -> "host-" + draw + "-" + each).collect(Collectors.toList());
    }

    private static Map<StreamShard, Integer> shards(int draw, int streams, int shards, int tasks) {
        Map<StreamShard, Integer> made = new HashMap<>();
        for (int stream = 0; stream < streams; stream++) {
            for (int shard = 0; shard < shards; shard++) {
                made.put(new StreamShard("stream-" + draw + "-" + stream, "shard-" + shard), tasks);
            }
        }
        return made;
    }

    private static Map<String, Integer> loads(Map<StreamShard, String> plan, Map<StreamShard, Integer> leases) {
        Map<String, Integer> loads = new TreeMap<>();
        plan.forEach((shard, daemon) -> loads.merge(daemon, leases.get(shard), Integer::sum));
        return loads;
    }

    @Test
    void sixtyTasksAreSpreadOverThree() {
        for (int[] kind : new int[][] {{60, 1}, {20, 3}, {12, 5}, {6, 10}}) {
            for (int draw = 0; draw < DRAWS; draw++) {
                Map<StreamShard, Integer> leases = shards(draw, kind[0], 1, kind[1]);
                Map<String, Integer> loads = loads(PlacementPlan.of(daemons(draw, 3), leases), leases);
                assertEquals(3, loads.size());
                loads.values().forEach(load -> assertTrue(load >= 15 && load <= 25, loads::toString));
            }
        }
    }

    @Test
    void shardsOfAStreamAreEven() {
        for (int shards = 1; shards < 20; shards++) {
            Map<StreamShard, Integer> leases = shards(shards, 1, shards, 2);
            Map<String, Integer> loads = loads(PlacementPlan.of(daemons(shards, 4), leases), leases);
            int most = Collections.max(loads.values());
            int least = loads.size() < 4 ? 0 : Collections.min(loads.values());
            assertTrue(most - least <= 2, loads::toString); // of two tasks
        }
    }

    /** No order of what is known changes it, as it does not in another process. */
    @Test
    void everybodyFindsTheSame() {
        List<String> names = daemons(1, 5);
        Map<StreamShard, Integer> leases = shards(1, 30, 3, 1);
        Map<StreamShard, String> plan = PlacementPlan.of(names, leases);
        Collections.reverse(names);
        assertEquals(plan, PlacementPlan.of(names, new HashMap<>(leases)));
        assertEquals("host-1-2", PlacementPlan.of(daemons(1, 3), shards(1, 1, 1, 1)).values().iterator().next());
    }

    @Test
    void aDaemonThatComesTakesItsShareAndLittleElseMoves() {
        int others = 0;
        for (int draw = 0; draw < DRAWS; draw++) {
            Map<StreamShard, Integer> leases = shards(draw, 60, 1, 1);
            Map<StreamShard, String> before = PlacementPlan.of(daemons(draw, 3), leases);
            Map<StreamShard, String> after = PlacementPlan.of(daemons(draw, 4), leases);
            String newcomer = "host-" + draw + "-3";
            List<StreamShard> moved = new ArrayList<>(before.keySet());
            moved.removeIf(shard -> before.get(shard).equals(after.get(shard)));
            long elsewhere = moved.stream().filter(shard -> !after.get(shard).equals(newcomer)).count();
            assertTrue(moved.size() - elsewhere <= 17, moved::toString);
            others += elsewhere;
        }
        assertTrue(others < 2 * DRAWS, others + " moves between daemons that stayed");
    }
}
