package software.amazon.kinesis.multilang.config;

import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient.SkipRecordsBehavior;
import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsConsumerTaskFactory;
import com.amazonaws.services.dynamodbv2.streamsadapter.polling.DynamoDBStreamsPollingConfig;
import com.amazonaws.services.dynamodbv2.streamsadapter.util.KinesisMapperUtil;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Collection;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.bridge.SLF4JBridgeHandler;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.StreamConfig;
import software.amazon.kinesis.coordinator.CoordinatorConfig.ClientVersionConfig;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.leases.ShardSyncTaskManager;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseManagementFactory;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseSerializer;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.multilang.MultiLangDaemonConfig;
import software.amazon.kinesis.multilang.config.MultiLangDaemonConfiguration.ResolvedConfiguration;

/**
 * The KCL MultiLangDaemon, reading a DynamoDB stream: KCL's own configuration and child processes, the DynamoDB Streams
 * adapter's scheduler. Version 2 of the adapter has no such entry point.
 *
 * <p>It stands in KCL's package because {@code resolvedConfiguration} is package-private there. Its one argument is a
 * properties file written by {@code processor/startup/daemon.py}: KCL's own properties plus the few read below.
 *
 * <p>Exit status: 0 after SIGTERM or SIGINT once the batches in hand are checkpointed; what a child left for it
 * ({@link Holds#exitStatus}), as 22 where onError=stop ended one; else {@link #EIO}.
 */
public final class DynamoDBStreamsMultiLangDaemon {
    /** errno's EIO, the original's exit status for any failure at run time. */
    static final int EIO = 5;

    /** errno's EINVAL, the original's exit status for what a person must put right first. */
    private static final int EINVAL = 22;

    /** How long a failing daemon waits for its healthy shards to checkpoint; the failing one never answers. */
    private static final long FAILURE_GRACE_MILLIS = 5_000;

    /** How long the last figures may take to be told, once all else is done. */
    private static final long METRICS_GRACE_MILLIS = 2_000;

    private static volatile int exitStatus = EIO;
    private static volatile boolean stopping;

    private final Properties properties = new Properties();
    private final MultiLangDaemonConfig daemonConfig;
    private final MultiLangDaemonConfiguration configuration;
    private final AwsClients clients;
    private final Holds holds;
    private final Progress progress;
    private final StartWatch start = new StartWatch();
    private final DispatchTurns turns = new DispatchTurns(Thread.currentThread());
    private final Retention retention = new Retention(Clock.systemUTC());
    private LeaseTerms terms;
    private CopyGate copyGate;
    private volatile MissingLeases missing;
    private MetricsProcess metrics;
    private ShardWatch watch;
    private volatile FleetLeaseCoordinator coordinator;

    private DynamoDBStreamsMultiLangDaemon(String propertiesFile) throws Exception {
        try (InputStream input = Files.newInputStream(Path.of(propertiesFile))) {
            properties.load(input);
        }
        holds = new Holds(Path.of(properties.getProperty("holdDirectory")));
        daemonConfig = new MultiLangDaemonConfig(propertiesFile);
        configuration = daemonConfig.getMultiLangDaemonConfiguration();
        clients = new AwsClients(properties, configuration);
        clients.equipKcl();
        progress = new Progress(new RecordTimes(properties.getProperty("sourceStreamArn")), holds);
    }

    public static void main(String[] args) {
        System.setErr(new DaemonConsole(System.err));
        LogLines.hideProperties();
        HarmlessErrors.install();
        AnswerBounds.install();
        ProxiedHttpService.install();
        Thread.setDefaultUncaughtExceptionHandler((thread, t) -> Event.error("thread_failed")
                .with("thread", thread.getName()).with("error", t.toString()).cause(t)
                .note("BUG: a thread of the daemon ended. Please report it, with the trace in kcl.log."));
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install(); // parts of the adapter log to java.util.logging, which means the console
        // Before anything can fail: a signal during the start is a clean stop too, and has nothing to hand back.
        for (String name : new String[] {"TERM", "INT", "HUP"}) {
            sun.misc.Signal.handle(new sun.misc.Signal(name), signal -> {
                if (!stopping) { // else a failure is on its way out already
                    exitStatus = 0;
                }
                System.exit(0);
            });
        }
        try {
            new DynamoDBStreamsMultiLangDaemon(args[0]).run();
        } catch (StartWatch.DeniedException e) {
            exitStatus = EINVAL;
            Event.error("start_denied").with("error", e.getMessage())
                    .note("A call is denied that KCL's tables need. Nothing is replicated; the checkpoints are as they were. "
                            + "Allow it, then start again; the command policy prints all that is needed.");
        } catch (Throwable t) {
            Event.error("start_failed").with("error", t.toString()).cause(t)
                    .note("The daemon could not start. Nothing is replicated; the checkpoints are as they were. "
                            + "kcl.log beside this has the whole trace.");
        }
        Runtime.getRuntime().halt(exitStatus);
    }

    private void run() throws Exception {
        terms = new LeaseTerms(
                Path.of(properties.getProperty("leaseTermDirectory")), configuration.getFailoverTimeMillis());
        metrics = new MetricsProcess(properties.getProperty("metricsExecutable"));
        Future<DynamoDbStreamsClient> client = CompletableFuture.supplyAsync(clients::streams);
        Scheduler scheduler = createScheduler(client);
        LeaseRefresher leases = scheduler.leaseCoordinator().leaseRefresher();
        if (start.until(() -> workerIdIsLive(leases))) { // the last thing before leases are touched
            String unique = configuration.getWorkerIdentifier() + "-" + UUID.randomUUID();
            Event.warning("worker_id_in_use").with("worker", configuration.getWorkerIdentifier()).with("instead", unique)
                    .note("This worker id is in use by another daemon (two machines of one host name?); this one has "
                            + "another for now. Set workerId to give it a lasting id of its own.");
            configuration.setWorkerId(unique);
            scheduler = createScheduler(client);
        }
        watch.start();
        Scheduler ours = scheduler;
        coordinator = (FleetLeaseCoordinator) scheduler.leaseCoordinator();
        progress.shards(coordinator::reading);
        holds.watch(coordinator);
        metrics.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(ours), "shutdown"));
        scheduler.run();
        if (!stopping) { // KCL gave up, as after 20 failed starts, and would have us end with 0
            Event.error("kcl_stopped").note(
                    "KCL stopped by itself. Nothing is replicated; the checkpoints are as they were. kcl.log says why.");
            System.exit(EIO);
        }
        Thread.currentThread().join(); // the shutdown hook ends the process
    }

    /**
     * The name under which the adapter knows the stream; every request carries the true ARN. It takes an ARN only with a
     * region that this SDK knows and an account of twelve digits, and emulators have words of their own for both.
     */
    private String adapterArn(String trueArn) {
        String region = properties.getProperty("sourceRegion");
        String known = Region.regions().contains(Region.of(region)) ? region : Region.US_EAST_1.id();
        Matcher account = Pattern.compile(":(\\d{12}):").matcher(trueArn);
        return String.format("arn:aws:dynamodb:%s:%s:table/%s/stream/%s",
                known, account.find() ? account.group(1) : "000000000000", properties.getProperty("sourceTable"),
                trueArn.substring(trueArn.lastIndexOf('/') + 1));
    }

    private boolean countsLeases() {
        return configuration.getClientVersionConfig() != ClientVersionConfig.CLIENT_VERSION_CONFIG_3X;
    }

    private ResolvedConfiguration resolve() {
        return configuration.resolvedConfiguration(() ->
                new StreamsRecordProcessor(
                        daemonConfig.getRecordProcessorFactory().shardRecordProcessor(), progress, retention, terms,
                        shardId -> coordinator.getCurrentlyHeldLease(shardId) != null, missing, copyGate,
                        new FirstStart(Long.parseLong(properties.getProperty("firstStartMillis", "0")))));
    }

    private static DynamoDBLeaseManagementFactory leaseFactory(ResolvedConfiguration resolved) {
        return (DynamoDBLeaseManagementFactory)
                resolved.getLeaseManagementConfig().leaseManagementFactory(new DynamoDBLeaseSerializer(), false);
    }

    /** Makes KCL's tables ready, too. Nothing else is touched before the scheduler runs. */
    private Scheduler createScheduler(Future<DynamoDbStreamsClient> client) throws Exception {
        String trueArn = properties.getProperty("sourceStreamArn");
        configuration.setStreamName(
                KinesisMapperUtil.createKinesisStreamIdentifierFromDynamoDBStreamsArn(adapterArn(trueArn), false));
        ResolvedConfiguration resolved = resolve();

        DynamoDBStreamsPollingConfig polling = new DynamoDBStreamsPollingConfig(configuration.getStreamName(), null);
        PromptRecordsFetcherFactory fetching = new PromptRecordsFetcherFactory(turns);
        fetching.maxPendingProcessRecordsInput(1); // a 1 MB page takes up to 10 MB here, and a full queue is for each shard
        polling.recordsFetcherFactory(fetching);
        polling.maxRecords(configuration.getMaxRecords());
        polling.idleTimeBetweenReadsInMillis(configuration.getIdleTimeBetweenReadsInMillis());
        resolved.getRetrievalConfig().retrievalSpecificConfig(polling);
        resolved.getCoordinatorConfig().shardConsumerDispatchPollIntervalMillis(
                Long.parseLong(properties.getProperty("shardConsumerDispatchPollIntervalMillis")));
        if (Boolean.parseBoolean(properties.getProperty("dontPublishCloudwatch"))) {
            resolved.getMetricsConfig().metricsFactory(new NullMetricsFactory());
        }

        start.watch(resolved.getCoordinatorConfig());
        TaskTable taskTable = new TaskTable(
                resolved.getLeaseManagementConfig().dynamoDBClient(), properties.getProperty("taskTable"));
        copyGate = new CopyGate(taskTable);

        SourceStream stream = new SourceStream(client.get(), trueArn,
                new SourceTable(properties.getProperty("sourceTable"), clients::sourceTable), taskTable);
        AmazonDynamoDBStreamsAdapterClient adapter = new AmazonDynamoDBStreamsAdapterClient(
                stream.client(), Region.of(properties.getProperty("sourceRegion")));
        adapter.setSkipRecordsBehavior(SkipRecordsBehavior.KCL_RETRY);
        polling.dataFetcherProvider(config -> stream.fetcher(adapter, config));
        resolved.getCoordinatorConfig().skipShardSyncAtWorkerInitializationIfLeasesExist(true);
        resolved.getLeaseManagementConfig()
                .leaseManagementFactory(new FleetLeaseManagementFactory(adapter, resolved.getLeaseManagementConfig(),
                        resolved.getRetrievalConfig(), stream.gate(), terms, turns, countsLeases(), properties.getProperty("taskTable")))
                .consumerTaskFactory(new DynamoDBStreamsConsumerTaskFactory())
                .leasesRecoveryAuditorInconsistencyConfidenceThreshold(0); // it looks for holes in Kinesis's hash keys
        ShardSyncTaskManager shardSync = shardSync(resolved);
        CompletableFuture<Void> tables = new KclTables(resolved, configuration.getWorkerIdentifier(), start).prepare(
                leaseFactory(resolved).createLeaseRefresher(), shardSync::callShardSyncTask, countsLeases());
        Scheduler scheduler = new Scheduler(
                resolved.getCheckpointConfig(),
                resolved.getCoordinatorConfig(),
                resolved.getLeaseManagementConfig(),
                resolved.getLifecycleConfig(),
                resolved.getMetricsConfig(),
                resolved.getProcessorConfig(),
                resolved.getRetrievalConfig());
        try {
            tables.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof Exception ? (Exception) e.getCause() : e;
        }
        FleetLeaseRefresher leases = (FleetLeaseRefresher) scheduler.leaseCoordinator().leaseRefresher();
        boolean fromOldest = isFromOldest(resolved);
        missing = new MissingLeases(stream.listings(), leases, fromOldest, lease -> coordinator.dropLease(lease));
        watch = new ShardWatch(stream.client(), stream.listings(), leases, new WrongLeases(missing, stream.losses()), fromOldest,
                configuration.getWorkerIdentifier(), shardSync::callShardSyncTask,
                unread -> metrics.tell(unread, stream.losses().count()));
        return scheduler;
    }

    private static boolean isFromOldest(ResolvedConfiguration resolved) {
        StreamConfig stream = resolved.getRetrievalConfig().streamTracker().streamConfigList().get(0);
        return stream.initialPositionInStreamExtended().getInitialPositionInStream() == InitialPositionInStream.TRIM_HORIZON;
    }

    private static ShardSyncTaskManager shardSync(ResolvedConfiguration resolved) {
        StreamConfig stream = resolved.getRetrievalConfig().streamTracker().streamConfigList().get(0);
        return leaseFactory(resolved).createShardSyncTaskManager(new NullMetricsFactory(), stream, null);
    }

    /**
     * Two daemons under one worker id would steal each other's leases for ever. {@code processor/startup/daemon.py} read the
     * counters of our own leases when the command was given; whoever still renews them has moved them on a renewal later,
     * which a start that is slower than that need not wait for.
     */
    private boolean workerIdIsLive(LeaseRefresher leases) throws Exception {
        String before = properties.getProperty("ownLeaseCounters", "");
        if (before.isEmpty()) {
            return leases.leaseTableExists() && !ownCounters(leases).isEmpty();
        }
        long renewal = configuration.getFailoverTimeMillis() / 3;
        long due = Long.parseLong(properties.getProperty("ownLeasesReadAtMillis")) + renewal + 300;
        Thread.sleep(Math.max(0, due - System.currentTimeMillis()));
        Map<String, String> then = Stream.of(before.split(",")).map(pair -> pair.split("="))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
        return ownCounters(leases).entrySet().stream()
                .anyMatch(lease -> !lease.getValue().equals(then.get(lease.getKey())));
    }

    private Map<String, String> ownCounters(LeaseRefresher leases) throws Exception {
        String worker = configuration.getWorkerIdentifier();
        return leases.listLeases().stream()
                .filter(lease -> worker.equals(lease.leaseOwner()))
                .collect(Collectors.toMap(Lease::leaseKey, lease -> lease.leaseCounter().toString()));
    }

    /** The shutdown hook. Children finish the batch in hand and checkpoint it before KCL lets their leases go. */
    private void stop(Scheduler scheduler) {
        stopping = true;
        if (!start.isStarted()) { // nothing is held; KCL's own shutdown would wait for its start
            metrics.close(METRICS_GRACE_MILLIS);
            Runtime.getRuntime().halt(exitStatus);
        }
        if (exitStatus != 0) {
            exitStatus = holds.exitStatus(exitStatus);
            Event.error("stopping").with("grace_ms", FAILURE_GRACE_MILLIS)
                    .note("Stopping after a failure: its own message is above, or in replication.log and kcl.log. Nothing "
                            + "past the checkpoints is lost; other shards have so long to finish.");
        }
        long grace = exitStatus == 0 ? configuration.getShutdownGraceMillis() : FAILURE_GRACE_MILLIS;
        try {
            CompletableFuture.runAsync(() -> handBack(scheduler)).get(grace, TimeUnit.MILLISECONDS);
        } catch (Exception e) {
            if (exitStatus == 0) {
                Event.error("stopped_unfinished").with("grace_ms", grace).cause(e)
                        .note("Stopped with a batch still unapplied after shutdownGraceMillis: it is not checkpointed and "
                                + "will be applied at the next start.");
                exitStatus = EIO;
            }
        }
        metrics.close(METRICS_GRACE_MILLIS);
        Runtime.getRuntime().halt(exitStatus);
    }

    private void handBack(Scheduler scheduler) {
        coordinator.stopLeaseTaker();
        Collection<Lease> held = coordinator.getAssignments();
        // A held shard's child may be at its next try: others begin when the lease is over.
        Set<String> begun = held.stream().map(Lease::leaseKey)
                .filter(shardId -> terms.waitNanos(shardId) <= 0 && !holds.isHeld(shardId)).collect(Collectors.toSet());
        // KCL would wait for an answer of shards that never began, as those waiting for their parents, or can't go on.
        for (Lease lease : held) {
            if (!StreamsRecordProcessor.isStarted(lease.leaseKey()) || holds.isHeld(lease.leaseKey())) {
                coordinator.dropLease(lease);
            }
        }
        try {
            scheduler.startGracefulShutdown().get();
        } catch (Exception e) {
            throw new IllegalStateException("KCL's graceful shutdown failed", e);
        }
        release(begun);
    }

    /**
     * KCL leaves its leases to expire, even after a clean stop; without an owner the next worker takes them at once, and
     * begins at once. So a lease just taken from a living worker, which may still write, is left to expire.
     */
    private void release(Set<String> begun) {
        LeaseRefresher leases = coordinator.leaseRefresher();
        try {
            for (Lease lease : leases.listLeases()) {
                if (configuration.getWorkerIdentifier().equals(lease.leaseOwner()) && begun.contains(lease.leaseKey())) {
                    leases.evictLease(lease);
                }
            }
        } catch (Exception e) {
            Event.warning("leases_kept").with("error", e.toString()).with("over_ms", configuration.getFailoverTimeMillis())
                    .note("Stopped cleanly, but the leases could not be given back: others take these shards when the "
                            + "leases are over.");
        }
    }
}
