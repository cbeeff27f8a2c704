package replicator.leases;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import software.amazon.kinesis.leases.Lease;

/** Fleets of many tasks, whose clocks are one that the test moves: each daemon looks once a second and renews as KCL does. */
class PlacementTest {
    private static final long FAILOVER_MILLIS = 5_000;
    private static final long STEP_MILLIS = 250;

    private final Random random = new Random(1);
    private final Fleet fleet = new Fleet();

    private static final class Row {
        private String owner;
        private long counter;
        private long unrenewedSince;
    }

    private static final class Table {
        private final String name;
        private final String stream;
        private final Map<String, Row> rows = new TreeMap<>();

        Table(String name, String stream, int shards) {
            this.name = name;
            this.stream = stream;
            for (int shard = 0; shard < shards; shard++) {
                rows.put("shard-" + shard, new Row());
            }
        }
    }

    private final class Daemon {
        private final String name;
        private final Placements placements = new Placements(this::nanos);
        private final Map<Table, LeaseChoice> choices = new LinkedHashMap<>();
        private final long phase = random.nextInt(1000);

        Daemon(String name) {
            this.name = name;
        }

        private long nanos() {
            return TimeUnit.MILLISECONDS.toNanos(fleet.millis);
        }

        void begin(Table table) {
            placements.begins(table.name);
            choices.put(table, new LeaseChoice(placements.of(name), table.stream,
                    TimeUnit.MILLISECONDS.toNanos(FAILOVER_MILLIS), this::nanos));
        }

        /** Cleanly: its leases are given back. */
        void end(Table table) {
            choices.remove(table).end();
            table.rows.values().stream().filter(row -> name.equals(row.owner)).forEach(row -> row.owner = null);
        }
    }

    private final class Fleet {
        private final List<Table> tables = new ArrayList<>();
        private final Map<String, Daemon> daemons = new TreeMap<>();
        private long millis;
        private int moves;
        private int tookOver;
        private long longestUnrenewed;

        /** @param runs whether it has the task of that number */
        void join(String name, IntPredicate runs) {
            Daemon daemon = new Daemon(name);
            for (int number = 0; number < tables.size(); number++) {
                if (runs.test(number)) {
                    daemon.begin(tables.get(number));
                }
            }
            daemons.put(name, daemon);
        }

        /** Their tasks begin one after the other, one a second, as after a look at each one's tables. */
        void joinSlowly(String... names) {
            for (String name : names) {
                join(name, number -> false);
            }
            for (Table table : tables) {
                for (String name : names) {
                    daemons.get(name).begin(table);
                }
                pass(1);
            }
        }

        void join(String... names) {
            for (String name : names) {
                join(name, number -> true);
            }
        }

        void pass(long seconds) {
            for (long until = millis + seconds * 1000; millis < until; millis += STEP_MILLIS) {
                daemons.values().forEach(this::step);
                tables.forEach(table -> table.rows.values().forEach(row ->
                        longestUnrenewed = Math.max(longestUnrenewed, millis - row.unrenewedSince)));
            }
        }

        private void step(Daemon daemon) {
            boolean renews = (millis + daemon.phase) / 1_666 != (millis + daemon.phase - STEP_MILLIS) / 1_666;
            boolean looks = (millis + daemon.phase) / 1_000 != (millis + daemon.phase - STEP_MILLIS) / 1_000;
            for (Table table : daemon.choices.keySet()) {
                for (Row row : table.rows.values()) {
                    if (renews && daemon.name.equals(row.owner)) {
                        row.counter++;
                        row.unrenewedSince = millis;
                    }
                }
                if (looks) {
                    look(daemon, table);
                }
            }
        }

        private void look(Daemon daemon, Table table) {
            List<Lease> found = table.rows.entrySet().stream().map(each -> {
                Lease lease = new Lease();
                lease.leaseKey(each.getKey());
                lease.leaseOwner(each.getValue().owner);
                lease.leaseCounter(each.getValue().counter);
                return lease;
            }).collect(Collectors.toList());
            for (Lease lease : daemon.choices.get(table).of(found)) {
                if (((ChosenLease) lease).isChosen()) {
                    Row row = table.rows.get(lease.leaseKey());
                    boolean isLiving = daemons.containsKey(row.owner == null ? "" : row.owner);
                    assertEquals(isLiving && millis - row.unrenewedSince < FAILOVER_MILLIS,
                            ((ChosenLease) lease).wasLiving() && isLiving);
                    moves += isLiving && !daemon.name.equals(row.owner) ? 1 : 0;
                    tookOver += row.owner != null && !isLiving ? 1 : 0;
                    row.owner = daemon.name;
                    row.counter++;
                    row.unrenewedSince = millis;
                }
            }
        }

        void passUntil(BooleanSupplier condition, long mostSeconds) {
            for (long second = 0; !condition.getAsBoolean(); second++) {
                assertTrue(second < mostSeconds, () -> loads().toString());
                pass(1);
            }
        }

        Map<String, Integer> loads() {
            Map<String, Integer> loads = new TreeMap<>();
            tables.forEach(table -> table.rows.values().forEach(row -> loads.merge(String.valueOf(row.owner), 1, Integer::sum)));
            return loads;
        }

        boolean isHeldByLiving() {
            return loads().keySet().stream().allMatch(daemons::containsKey);
        }

        /** The daemons that a stream's shard is with: one, for all tasks. */
        boolean isTogether() {
            Map<String, Set<String>> owners = new HashMap<>();
            tables.forEach(table -> table.rows.forEach((shard, row) ->
                    owners.computeIfAbsent(table.stream + shard, each -> new HashSet<>()).add(String.valueOf(row.owner))));
            return owners.values().stream().allMatch(each -> each.size() == 1);
        }
    }

    private void tasks(int streams, int tasksOfEach, int shards) {
        for (int stream = 0; stream < streams; stream++) {
            for (int task = 0; task < tasksOfEach; task++) {
                fleet.tables.add(new Table("task-" + fleet.tables.size(), "stream-" + stream, shards));
            }
        }
    }

    private void assertSpread(int daemons, int least, int most) {
        assertEquals(daemons, fleet.loads().size(), () -> fleet.loads().toString());
        fleet.loads().values().forEach(load -> assertTrue(load >= least && load <= most, () -> fleet.loads().toString()));
    }

    /** One daemon has everything, two join, one dies and comes back: for 60 streams, and for 12 of five tasks each. */
    private void live(int streams, int tasksOfEach) {
        tasks(streams, tasksOfEach, 1);
        fleet.join("a");
        fleet.pass(5);
        assertEquals(Map.of("a", 60), fleet.loads());

        fleet.join("b", "c");
        fleet.pass(60);
        assertSpread(3, 15, 25);
        assertTrue(fleet.isTogether());
        int left = 60 - fleet.loads().get("a");
        assertTrue(fleet.moves <= left + 5 * tasksOfEach, () -> fleet.moves + " moves");

        fleet.moves = 0;
        fleet.longestUnrenewed = 0;
        fleet.daemons.remove("c");
        fleet.passUntil(fleet::isHeldByLiving, 10);
        assertTrue(fleet.longestUnrenewed <= FAILOVER_MILLIS + 2_000, () -> fleet.longestUnrenewed + " ms"); // two looks
        assertEquals(0, fleet.moves);
        fleet.pass(120);
        assertSpread(2, 25, 35);
        assertTrue(fleet.isTogether());
        assertTrue(fleet.moves <= 5, () -> fleet.moves + " moves");

        fleet.moves = 0;
        fleet.join("c");
        fleet.pass(120);
        assertSpread(3, 15, 25);
        assertTrue(fleet.isTogether());
        int others = fleet.moves - fleet.loads().get("c");
        assertTrue(others == 0 || tasksOfEach > 1 && others <= tasksOfEach, () -> others + " moves"); // one stream at most

        fleet.moves = 0;
        fleet.pass(600);
        assertEquals(0, fleet.moves);
    }

    @Test
    void sixtyTasksOfSixtyStreams() {
        live(60, 1);
    }

    @Test
    void sixtyTasksOfTwelveStreams() {
        live(12, 5);
    }

    /** The first to look takes all that nobody has; then they share it. */
    @Test
    void daemonsThatBeginTogether() {
        tasks(30, 2, 1);
        fleet.join("a", "b", "c");
        fleet.pass(60);
        assertSpread(3, 15, 25);
        assertTrue(fleet.isTogether());
    }

    @Test
    void shardsOfOneStreamAreEvenAndTogether() {
        tasks(1, 3, 8);
        fleet.join("a");
        fleet.pass(5);
        fleet.join("b", "c");
        fleet.pass(120);
        assertSpread(3, 6, 9);
        assertTrue(fleet.isTogether());
        fleet.longestUnrenewed = 0;
        fleet.daemons.remove("a");
        fleet.pass(120);
        assertSpread(2, 12, 12);
        assertTrue(fleet.isTogether());
        assertTrue(fleet.longestUnrenewed <= FAILOVER_MILLIS + 2_000, () -> fleet.longestUnrenewed + " ms");
    }

    /** What the one that should have it can't have is with somebody else soon, and stays there. */
    @Test
    void aDaemonThatLacksTasksKeepsNothingUnread() {
        tasks(20, 1, 1);
        fleet.join("a");
        fleet.join("b", number -> number % 2 == 0);
        fleet.join("c");
        fleet.pass(60);
        fleet.longestUnrenewed = 0;
        fleet.daemons.remove("c");
        fleet.pass(60);
        assertTrue(fleet.isHeldByLiving());
        assertTrue(fleet.longestUnrenewed <= 2 * FAILOVER_MILLIS + 3_000, () -> fleet.longestUnrenewed + " ms");
        fleet.pass(600);
        fleet.moves = 0;
        fleet.pass(1_800);
        assertTrue(fleet.moves <= 10, () -> fleet.moves + " moves");
    }

    /** The plan would have both the other way round; nobody would gain by it. */
    @Test
    void whatIsEvenStaysWhereItIs() {
        for (int stream = 0; stream < 10; stream++) { // of so many, some are planned for each
            fleet.tables.clear();
            fleet.daemons.clear();
            fleet.tables.add(new Table("one", "stream-" + 2 * stream, 1));
            fleet.tables.add(new Table("other", "stream-" + (2 * stream + 1), 1));
            fleet.tables.get(0).rows.get("shard-0").owner = "a";
            fleet.tables.get(1).rows.get("shard-0").owner = "b";
            fleet.join("a", "b");
            fleet.pass(60);
        }
        assertEquals(0, fleet.moves);
    }

    /** Somebody else finds that it should have the lease, and takes it back each time. */
    @Test
    void whatIsTakenBackIsPulledEverMoreSeldom() {
        tasks(2, 1, 1);
        fleet.join("a");
        Row first = fleet.tables.get(0).rows.get("shard-0");
        Row second = fleet.tables.get(1).rows.get("shard-0");
        int taken = 0;
        for (int moment = 0; moment < 7_200; moment++) {
            if (moment == 0 || "a".equals(first.owner) || "a".equals(second.owner)) {
                taken++;
                fleet.pass(3); // it sees that it has it
                first.owner = "b";
                second.owner = "b";
            }
            first.counter++;
            second.counter++;
            fleet.pass(1);
        }
        assertTrue(taken > 3 && taken < 25, "taken " + taken + " times");
    }

    /** Each finds another plan, and would take some back for ever. */
    @Test
    void daemonsThatDisagreeSettle() {
        tasks(24, 2, 1);
        fleet.join("a");
        fleet.join("b", number -> number % 2 == 0);
        fleet.join("c", number -> number % 2 == 1 || number < 12);
        fleet.pass(1_800);
        fleet.moves = 0;
        fleet.pass(1_800);
        assertTrue(fleet.moves <= 24, () -> fleet.moves + " moves");
    }

    /** A clean stop leaves leases without an owner. */
    @Test
    void whatIsGivenBackIsTakenAtOnce() {
        tasks(60, 1, 1);
        fleet.join("a", "b", "c");
        fleet.pass(60);
        fleet.moves = 0;
        Daemon stopped = fleet.daemons.remove("b");
        fleet.tables.forEach(stopped::end);
        fleet.passUntil(fleet::isHeldByLiving, 3);
        assertEquals(Set.of("a", "c"), new TreeSet<>(fleet.loads().keySet()));
        fleet.pass(60);
        assertTrue(fleet.moves <= 5, () -> fleet.moves + " moves");
    }

    /** What it sees of the first tasks says little of all: it takes nothing from others until it has them all. */
    @Test
    void aDaemonWhoseTasksBeginOneAfterTheOther() {
        tasks(60, 1, 1);
        fleet.join("a", "b");
        fleet.pass(60);
        fleet.moves = 0;
        fleet.joinSlowly("c");
        assertEquals(0, fleet.moves);
        fleet.pass(60);
        assertSpread(3, 15, 25);
        assertTrue(fleet.moves <= fleet.loads().get("c") + 2, () -> fleet.moves + " moves");
    }

    /** As after a power cut: whatever each took first, in the end it is as the plan has it. */
    @Test
    void daemonsWhoseTasksBeginSideBySide() {
        tasks(12, 5, 1);
        fleet.joinSlowly("a", "b", "c");
        fleet.pass(120);
        assertSpread(3, 15, 25);
        assertTrue(fleet.isTogether());
        assertTrue(fleet.moves <= 45, () -> fleet.moves + " moves");
    }

    /** One whose file has changed comes back to where it was, and none is moved for it. */
    @Test
    void aTaskThatBeginsAgain() {
        tasks(60, 1, 1);
        fleet.join("a", "b", "c");
        fleet.pass(60);
        fleet.moves = 0;
        Map<String, Integer> before = fleet.loads();
        for (Table table : fleet.tables.subList(0, 10)) {
            Daemon owner = fleet.daemons.get(table.rows.get("shard-0").owner);
            owner.end(table);
            fleet.pass(2);
            owner.begin(table);
            fleet.pass(10);
            assertEquals(owner.name, table.rows.get("shard-0").owner);
        }
        assertEquals(before, fleet.loads());
        assertEquals(0, fleet.moves);
    }

    /** Files that come are tasks of one of the daemons, and those that go leave an even spread. */
    @Test
    void tasksThatComeAndGo() {
        tasks(30, 1, 1);
        fleet.join("a", "b", "c");
        fleet.pass(60);
        for (int number = 0; number < 30; number++) {
            Table table = new Table("late-" + number, "late-" + number, 1);
            fleet.tables.add(table);
            fleet.daemons.values().forEach(daemon -> daemon.begin(table));
            fleet.longestUnrenewed = 0;
            table.rows.get("shard-0").unrenewedSince = fleet.millis;
            fleet.pass(9);
            assertTrue(fleet.isHeldByLiving());
            assertTrue(fleet.longestUnrenewed <= FAILOVER_MILLIS + 2_000, () -> fleet.longestUnrenewed + " ms");
        }
        fleet.pass(120);
        assertSpread(3, 15, 25);
        List<Table> going = List.copyOf(fleet.tables.subList(0, 30));
        for (Table table : going) {
            fleet.daemons.values().forEach(daemon -> daemon.end(table));
            fleet.tables.remove(table);
        }
        fleet.pass(120);
        assertSpread(3, 7, 13);
    }

    /** A look at the table that was under way then must not count for ever. */
    @Test
    void aTaskThatHasEndedChoosesNothing() {
        tasks(2, 1, 1);
        fleet.join("a");
        fleet.pass(5);
        Daemon daemon = fleet.daemons.get("a");
        LeaseChoice ended = daemon.choices.get(fleet.tables.get(0));
        daemon.end(fleet.tables.get(0));
        Lease free = new Lease();
        free.leaseKey("shard-0");
        free.leaseCounter(7L);
        assertEquals(List.of(), ended.of(List.of(free)));
    }
}
