// The lease layer of a whole fleet in one JVM: the daemon's coordinators of leases over one table in memory, each of whose
// answers takes its time. Times are real. Arguments: how many leases, how many workers, failoverTimeMillis, the ms of an
// answer. Each line that it prints is a figure's name, a tab, and its value; the last is "end". One worker has to take all
// leases; of several, one does so first. A worker that dies is stopped without giving anything back.
// With a fifth argument, how many streams, each lease is that of a one-shard task with a table of its own, and a worker is a
// daemon of all the tasks, with one placement; with a sixth, the daemon that died comes back.
import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import replicator.aws.DirectCalls;
import replicator.leases.RecordCounts;
import replicator.leases.FleetLeaseCoordinator;
import replicator.leases.FleetLeaseManagementFactory;
import replicator.leases.LeaseGate;
import replicator.leases.LeaseTerms;
import replicator.leases.Placement;
import replicator.leases.Placements;
import replicator.process.DispatchTurns;
import replicator.stream.StreamListings;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.ExpectedAttributeValue;
import software.amazon.awssdk.services.dynamodb.model.GetItemRequest;
import software.amazon.awssdk.services.dynamodb.model.GetItemResponse;
import software.amazon.awssdk.services.dynamodb.model.PutItemRequest;
import software.amazon.awssdk.services.dynamodb.model.PutItemResponse;
import software.amazon.awssdk.services.dynamodb.model.ScanRequest;
import software.amazon.awssdk.services.dynamodb.model.ScanResponse;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemRequest;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemResponse;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.kinesis.coordinator.MigrationAdaptiveLeaseAssignmentModeProvider;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.RetrievalConfig;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

public final class FleetLeases {
    private static final String KEY = "leaseKey";
    private static final long PATIENCE_MILLIS = 300_000;
    private static final int DEATHS = 3;
    private static final long WINDOW_MILLIS = 15_000;

    private static final Map<String, AtomicLong> CALLS = new ConcurrentHashMap<>();
    private static final List<FleetLeaseCoordinator> WORKERS = new ArrayList<>();
    private static final Table TABLE = new Table();
    private static final List<Table> TABLES = new ArrayList<>();
    private static final Map<String, List<FleetLeaseCoordinator>> DAEMONS = new ConcurrentSkipListMap<>();
    private static final Map<FleetLeaseCoordinator, LeaseTerms> TERMS = new ConcurrentHashMap<>();
    private static AmazonDynamoDBStreamsAdapterClient stream; // nobody calls it
    private static int streams;
    private static int leases;
    private static long failoverMillis;
    private static long roundTripMillis;

    public static void main(String[] args) throws Exception {
        leases = Integer.parseInt(args[0]);
        int workers = Integer.parseInt(args[1]);
        failoverMillis = Long.parseLong(args[2]);
        roundTripMillis = Long.parseLong(args[3]);
        stream = new AmazonDynamoDBStreamsAdapterClient(
                DynamoDbStreamsClient.builder().region(Region.US_EAST_1).build(), Region.US_EAST_1);
        if (args.length > 4) {
            streams = Integer.parseInt(args[4]);
            manyTasks(workers, args.length > 5);
        } else {
            oneTask(workers);
        }
        System.out.println("end");
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static void oneTask(int workers) throws Exception {
        FleetLeaseCoordinator first = worker();
        makeLeases(first);
        long began = System.nanoTime();
        start(first);
        await("one worker has all leases", () -> held(first) == leases);
        say("one worker: has all, s", seconds(began));
        say("one worker: takes for each lease", calls("taken") / (double) leases);

        if (workers > 1) {
            many(workers);
        }
    }

    private static void manyTasks(int daemons, boolean isDeadToReturn) throws Exception {
        Thread guard = new Thread(FleetLeases::guard, "guard");
        guard.setDaemon(true);
        guard.start();
        for (int number = 0; number < leases; number++) {
            TABLES.add(new Table());
        }
        long began = System.nanoTime();
        for (int number = 0; number < daemons; number++) {
            begin("daemon-" + number);
            if (number == 0) {
                await("one daemon has all", () -> loads().equals(Map.of("daemon-0", leases)));
                say("one daemon: has all, s", seconds(began));
                began = System.nanoTime();
            }
        }
        await("all tasks are spread, and those of a stream together", () -> isSpread(daemons));
        say("1 to " + daemons + " daemons: spread, s", seconds(began));
        tellLoads("spread");
        Thread.sleep(2 * failoverMillis);

        String dead = "daemon-" + (daemons - 1);
        Map<String, String> before = owners();
        began = System.nanoTime();
        List<FleetLeaseCoordinator> ended = DAEMONS.remove(dead);
        ended.forEach(FleetLeaseCoordinator::stop);
        await("a dead daemon's leases are taken", () -> !loads().containsKey(dead) && loads().values().stream().mapToInt(each -> each).sum() == leases);
        say("kill -9 of one: all its leases held again, s", seconds(began));
        await("all tasks are spread over the others", () -> isSpread(daemons - 1));
        Thread.sleep(3 * failoverMillis);
        tellLoads("after the death");
        Map<String, String> after = owners();
        say("kill -9 of one: moves between the others", before.keySet().stream().filter(each ->
                !before.get(each).equals(dead) && !before.get(each).equals(after.get(each))).count());
        if (!isDeadToReturn) {
            return;
        }

        began = System.nanoTime();
        begin(dead);
        await("all tasks are spread again", () -> isSpread(daemons));
        say("one comes: spread, s", seconds(began));
        Thread.sleep(3 * failoverMillis);
        tellLoads("after it came");
        Map<String, String> again = owners();
        say("one comes: moves between the others", after.keySet().stream().filter(each ->
                !again.get(each).equals(dead) && !after.get(each).equals(again.get(each))).count());
    }

    private static void begin(String daemon) throws Exception {
        Placements placements = new Placements();
        for (int number = 0; number < TABLES.size(); number++) {
            placements.begins("task-" + number);
        }
        Placement placement = placements.of(daemon);
        List<FleetLeaseCoordinator> made = new ArrayList<>();
        for (int number = 0; number < TABLES.size(); number++) {
            made.add(worker(TABLES.get(number), daemon, placement, "stream-" + number % streams));
            if (DAEMONS.isEmpty()) {
                makeLease(made.get(number), number % streams);
            }
            start(made.get(number));
        }
        DAEMONS.put(daemon, made);
    }

    /** Of every task, whom each daemon believes to have it: two for one would be two that read it. */
    private static Map<String, String> owners() {
        Map<String, String> owners = new TreeMap<>();
        DAEMONS.forEach((daemon, tasks) -> {
            for (int number = 0; number < tasks.size(); number++) {
                if (held(tasks.get(number)) > 0) {
                    owners.merge(String.format("%04d-%04d", number % streams, number), daemon, (one, other) -> one + "+" + other);
                }
            }
        });
        return owners;
    }

    private static Map<String, Integer> loads() {
        Map<String, Integer> loads = new TreeMap<>();
        owners().values().forEach(daemon -> loads.merge(daemon, 1, Integer::sum));
        return loads;
    }

    /** No lease may be written by two: each is looked at between two looks at another one. */
    private static void guard() {
        while (true) {
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                return;
            }
            for (int number = 0; number < TABLES.size(); number++) {
                List<String> before = writing(number);
                if (before.size() > 1 && writing(number).containsAll(before)) {
                    System.out.println("missed\ttwo may write: " + before);
                    System.out.flush();
                    Runtime.getRuntime().halt(1);
                }
            }
        }
    }

    private static List<String> writing(int number) {
        return new TreeMap<>(DAEMONS).entrySet().stream()
                .filter(each -> each.getValue().get(number).getAssignments().stream().anyMatch(lease ->
                        each.getValue().get(number).getCurrentlyHeldLease(lease.leaseKey()) != null
                                && TERMS.get(each.getValue().get(number)).waitNanos(lease.leaseKey()) <= 0))
                .map(Map.Entry::getKey).collect(Collectors.toList());
    }

    /** Each daemon has its share but a quarter, and each stream is with one. */
    private static boolean isSpread(int daemons) {
        Map<String, Set<String>> ofStream = new HashMap<>();
        owners().forEach((task, daemon) -> ofStream.computeIfAbsent(task.substring(0, 4), each -> new HashSet<>()).add(daemon));
        double share = (double) leases / daemons;
        return loads().size() == daemons && loads().values().stream().mapToInt(each -> each).sum() == leases
                && loads().values().stream().allMatch(each -> each >= 0.75 * share && each <= 1.25 * share)
                && ofStream.values().stream().allMatch(each -> each.size() == 1);
    }

    private static void tellLoads(String when) {
        say(when + ": the least of one daemon", loads().values().stream().mapToInt(each -> each).min().orElse(0));
        say(when + ": the most of one daemon", loads().values().stream().mapToInt(each -> each).max().orElse(0));
    }

    private static void many(int workers) throws Exception {
        long began = System.nanoTime();
        for (int number = 1; number < workers; number++) {
            start(worker());
        }
        await("all leases are spread evenly", FleetLeases::isEven);
        say("1 to " + workers + " workers: even, s", seconds(began));

        Thread.sleep(WINDOW_MILLIS);
        Map<String, Long> before = snapshot();
        Thread.sleep(WINDOW_MILLIS);
        for (String name : List.of("scan", "updateItem", "getItem", "taken")) {
            say("whole fleet, at rest: " + name + ", 1/s",
                    (calls(name) - before.getOrDefault(name, 0L)) * 1_000.0 / WINDOW_MILLIS);
        }

        for (int death = 0; death < DEATHS; death++) {
            FleetLeaseCoordinator dead = WORKERS.remove(0);
            Set<String> lost = keys(dead);
            began = System.nanoTime();
            dead.stop();
            await("a dead worker's leases are taken", () -> {
                Set<String> all = new HashSet<>();
                WORKERS.forEach(each -> all.addAll(keys(each)));
                return all.containsAll(lost);
            });
            say("kill -9 of one: all its leases held again, s", seconds(began));
            start(worker());
            await("all leases are spread evenly again", FleetLeases::isEven);
        }
    }

    private static boolean isEven() {
        List<Integer> counts = WORKERS.stream().map(FleetLeases::held).sorted().collect(Collectors.toList());
        return counts.stream().mapToInt(each -> each).sum() == leases
                && counts.get(counts.size() - 1) - counts.get(0) <= 1;
    }

    private static int held(FleetLeaseCoordinator worker) {
        return worker.getAssignments().size();
    }

    private static Set<String> keys(FleetLeaseCoordinator worker) {
        return worker.getAssignments().stream().map(Lease::leaseKey).collect(Collectors.toSet());
    }

    private static void makeLeases(FleetLeaseCoordinator worker) throws Exception {
        for (int number = 0; number < leases; number++) {
            makeLease(worker, number);
        }
    }

    private static void makeLease(FleetLeaseCoordinator worker, int shard) throws Exception {
        Lease lease = new Lease();
        lease.leaseKey(String.format("shardId-%020d-%08x", 1_790_000_000_000L + shard, shard));
        lease.checkpoint(ExtendedSequenceNumber.TRIM_HORIZON);
        lease.ownerSwitchesSinceCheckpoint(0L);
        worker.leaseRefresher().createLeaseIfNotExists(lease);
    }

    private static FleetLeaseCoordinator worker() throws Exception {
        return worker(TABLE, "worker-" + WORKERS.size() + "-" + System.nanoTime(), null, "stream");
    }

    private static FleetLeaseCoordinator worker(Table table, String name, Placement placement, String streamName) throws Exception {
        LeaseManagementConfig config = new LeaseManagementConfig("leases", "leases", client(table), null, name);
        config.failoverTimeMillis(failoverMillis);
        LeaseTerms terms = new LeaseTerms(Files.createTempDirectory(Path.of(System.getProperty("terms")), "t"), failoverMillis);
        FleetLeaseCoordinator made = (FleetLeaseCoordinator) new FleetLeaseManagementFactory(
                stream, config, new RetrievalConfig(stream, new SingleStreamTracker("stream"), "leases"), new LeaseGate(listings(), System::currentTimeMillis), terms,
                new RecordCounts(null, false),
                new DispatchTurns(Thread.currentThread()), true, "tasks", DirectCalls.none(), placement, streamName)
                .createLeaseCoordinator(new NullMetricsFactory(), new ConcurrentHashMap<>());
        TERMS.put(made, terms);
        return made;
    }

    /** Of a stream that nobody asks for: no lease is removed here. */
    private static StreamListings listings() throws Exception {
        Constructor<?> constructor = StreamListings.class.getDeclaredConstructors()[0];
        constructor.setAccessible(true);
        return (StreamListings) constructor.newInstance(null, "");
    }

    private static void start(FleetLeaseCoordinator worker) throws Exception {
        Class<?> modes = Class.forName(
                "software.amazon.kinesis.coordinator.MigrationAdaptiveLeaseAssignmentModeProvider$LeaseAssignmentMode");
        MigrationAdaptiveLeaseAssignmentModeProvider mode = new MigrationAdaptiveLeaseAssignmentModeProvider();
        Method initialize = mode.getClass().getDeclaredMethod("initialize", boolean.class, modes);
        initialize.setAccessible(true);
        initialize.invoke(mode, false, modes.getEnumConstants()[0]);
        WORKERS.add(worker);
        worker.start(mode);
    }

    private static DynamoDbAsyncClient client(Table table) {
        return (DynamoDbAsyncClient) Proxy.newProxyInstance(
                FleetLeases.class.getClassLoader(), new Class<?>[] {DynamoDbAsyncClient.class}, table);
    }

    /** One table in memory, as the conditions of KCL's calls need it; each answer takes its time. */
    private static final class Table implements InvocationHandler {
        private final Map<String, Map<String, AttributeValue>> rows = new TreeMap<>();
        private static final ScheduledThreadPoolExecutor WIRE = new ScheduledThreadPoolExecutor(4, task -> {
            Thread thread = new Thread(task, "wire");
            thread.setDaemon(true);
            return thread;
        });

        @Override
        public Object invoke(Object proxy, Method method, Object[] arguments) {
            CompletableFuture<Object> answer = new CompletableFuture<>();
            Object request = arguments[0];
            WIRE.schedule(() -> {
                try {
                    answer.complete(answer(method.getName(), request));
                } catch (RuntimeException e) {
                    answer.completeExceptionally(e);
                }
            }, roundTripMillis, TimeUnit.MILLISECONDS);
            return answer;
        }

        private synchronized Object answer(String name, Object request) {
            CALLS.computeIfAbsent(name, each -> new AtomicLong()).incrementAndGet();
            switch (name) {
                case "putItem":
                    PutItemRequest put = (PutItemRequest) request;
                    check(Map.of(), put.expected());
                    rows.put(put.item().get(KEY).s(), new HashMap<>(put.item()));
                    return PutItemResponse.builder().build();
                case "getItem":
                    return GetItemResponse.builder().item(rows.get(((GetItemRequest) request).key().get(KEY).s())).build();
                case "updateItem":
                    return update((UpdateItemRequest) request);
                case "scan":
                    Integer segment = ((ScanRequest) request).segment();
                    List<Map<String, AttributeValue>> found = new ArrayList<>();
                    if (segment == null || segment == 0) {
                        rows.values().forEach(row -> found.add(new HashMap<>(row)));
                    }
                    return ScanResponse.builder().items(found).build();
                default:
                    throw new UnsupportedOperationException(name);
            }
        }

        private UpdateItemResponse update(UpdateItemRequest asked) {
            Map<String, AttributeValue> row = rows.get(asked.key().get(KEY).s());
            check(row, asked.expected());
            asked.attributeUpdates().forEach((name, change) -> {
                switch (change.actionAsString()) {
                    case "PUT":
                        row.put(name, change.value());
                        break;
                    case "DELETE":
                        row.remove(name);
                        break;
                    default: // a number
                        long before = row.containsKey(name) ? Long.parseLong(row.get(name).n()) : 0;
                        row.put(name, AttributeValue.fromN(String.valueOf(before + Long.parseLong(change.value().n()))));
                }
            });
            if (asked.attributeUpdates().containsKey("leaseOwner")) {
                CALLS.computeIfAbsent("taken", each -> new AtomicLong()).incrementAndGet();
            }
            return UpdateItemResponse.builder().attributes(new HashMap<>(row)).build();
        }

        private static void check(Map<String, AttributeValue> row, Map<String, ExpectedAttributeValue> expected) {
            expected.forEach((name, wanted) -> {
                if (!Objects.equals(row == null ? null : row.get(name), wanted.value())) {
                    throw ConditionalCheckFailedException.builder().message("The conditional request failed").build();
                }
            });
        }
    }

    private static long calls(String name) {
        return CALLS.getOrDefault(name, new AtomicLong()).get();
    }

    private static Map<String, Long> snapshot() {
        return CALLS.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, each -> each.getValue().get()));
    }

    private static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long until = System.nanoTime() + PATIENCE_MILLIS * 1_000_000;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > until) {
                System.out.println("missed\t" + what + ": " + WORKERS.stream().map(FleetLeases::held).collect(Collectors.toList()));
                System.out.flush();
                Runtime.getRuntime().halt(1);
            }
            Thread.sleep(50);
        }
    }

    private static double seconds(long began) {
        return (System.nanoTime() - began) / 1e9;
    }

    private static void say(String figure, double value) {
        System.out.printf(Locale.ROOT, "figure\t%s\t%.3f%n", figure, value);
        System.out.flush();
    }
}
