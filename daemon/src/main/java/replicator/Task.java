package replicator;

import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient.SkipRecordsBehavior;
import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsConsumerTaskFactory;
import com.amazonaws.services.dynamodbv2.streamsadapter.polling.DynamoDBStreamsPollingConfig;
import com.amazonaws.services.dynamodbv2.streamsadapter.util.KinesisMapperUtil;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import replicator.aws.AwsClients;
import replicator.leases.FleetLeaseCoordinator;
import replicator.leases.FleetLeaseManagementFactory;
import replicator.leases.FleetLeaseRefresher;
import replicator.leases.LeaseGate;
import replicator.leases.LeaseTerms;
import replicator.leases.Placements;
import replicator.leases.RecordCounts;
import replicator.lineage.MissingLeases;
import replicator.lineage.ShardWatch;
import replicator.lineage.WrongLeases;
import replicator.log.Event;
import replicator.metrics.MetricsProcess;
import replicator.page.Backlog;
import replicator.page.DirectPages;
import replicator.page.PageFetcher;
import replicator.page.PageInterceptor;
import replicator.page.PromptRecordsFetcherFactory;
import replicator.page.SharedPages;
import replicator.page.SharedReads;
import replicator.process.CaretakerProcess;
import replicator.process.DispatchTurns;
import replicator.process.Exit;
import replicator.process.LiveChildren;
import replicator.process.Nursery;
import replicator.process.TaskThreads;
import replicator.rows.LastCopy;
import replicator.rows.TaskTable;
import replicator.shard.BeginGate;
import replicator.shard.CheckpointClock;
import replicator.shard.Children;
import replicator.shard.CopyGate;
import replicator.shard.FirstStart;
import replicator.shard.Holds;
import replicator.shard.Progress;
import replicator.shard.RecordTimes;
import replicator.shard.Retention;
import replicator.shard.StreamsRecordProcessor;
import replicator.start.KclTables;
import replicator.start.StartWatch;
import replicator.start.WorkerId;
import replicator.stream.AdapterArn;
import replicator.stream.SourceStream;
import replicator.stream.SourceTable;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.kinesis.common.StreamConfig;
import software.amazon.kinesis.coordinator.CoordinatorConfig.ClientVersionConfig;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.leases.ShardSyncTaskManager;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseManagementFactory;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseSerializer;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.multilang.ChildProcessors;
import software.amazon.kinesis.multilang.MultiLangDaemonConfig;
import software.amazon.kinesis.multilang.config.KclConfiguration;
import software.amazon.kinesis.multilang.config.MultiLangDaemonConfiguration;
import software.amazon.kinesis.processor.ShardRecordProcessor;

/**
 * One replication task: KCL's MultiLangDaemon, reading a DynamoDB stream. KCL's own configuration and child processes are put
 * into the DynamoDB Streams adapter's scheduler; version 2 of the adapter has no such entry point.
 *
 * <p>All that a task has is made here, once, and handed on: two tasks in one process have nothing in common but what
 * {@link Daemon} sets for the process.
 */
final class Task {
    /** How long a failing daemon waits for its healthy shards to checkpoint; the failing one never answers. */
    private static final long FAILURE_GRACE_MILLIS = 5_000;

    /** How long children that are left may take to see that they are wanted no more. */
    private static final long CHILDREN_GRACE_MILLIS = 2_000;

    private static final long MEGABYTE = 1024 * 1024;

    private final Properties properties;
    private final String sourceStreamArn;
    private final MultiLangDaemonConfig daemonConfig;
    private final MultiLangDaemonConfiguration configuration;
    private final Exit exit;
    private final AwsClients clients;
    private final Holds holds;
    private final Progress progress;
    private final LeaseTerms terms;
    private final boolean hasNeighbours;
    private final Placements placements;
    private final RecordCounts counts;
    private final MetricsProcess metrics;
    private final CaretakerProcess caretaker;
    private final Nursery nursery;
    private final SharedReads reads;
    private final Path childSettings;
    private final StartWatch start = new StartWatch();
    private final DispatchTurns turns = new DispatchTurns(Thread.currentThread());
    private final Retention retention = new Retention(Clock.systemUTC());
    private final Children children = new Children();
    private final List<KclConfiguration> kcls = new ArrayList<>();
    private final LiveChildren processes = new LiveChildren();
    private final Backlog backlog = new Backlog();
    private final CheckpointClock checkpoints;
    private CopyGate copyGate;
    private volatile MissingLeases missing;
    private ShardWatch watch;
    private volatile FleetLeaseCoordinator coordinator;
    private volatile HandBack handBack;

    /**
     * @param propertiesFile for KCL, which reads it itself
     * @param properties what is in it
     * @param common what the process has for all of its tasks
     * @param exit taken where this task fails
     */
    Task(String propertiesFile, Properties properties, Common common, Exit exit) throws Exception {
        this.properties = properties;
        sourceStreamArn = properties.getProperty("sourceStreamArn");
        this.exit = exit;
        holds = new Holds(Path.of(properties.getProperty("holdDirectory")));
        daemonConfig = new MultiLangDaemonConfig(propertiesFile);
        configuration = daemonConfig.getMultiLangDaemonConfiguration();
        checkpoints = new CheckpointClock(number("checkpointIntervalMillis"));
        clients = new AwsClients(properties, configuration, common.secrets());
        progress = new Progress(new RecordTimes(sourceStreamArn), holds, common.hasManyTasks());
        terms = new LeaseTerms(
                Path.of(properties.getProperty("leaseTermDirectory")), configuration.getFailoverTimeMillis());
        counts = new RecordCounts(
                Path.of(properties.getProperty("countsDirectory")), isSet("countsFiltered"));
        hasNeighbours = common.hasManyTasks();
        placements = common.placements();
        metrics = common.metrics();
        caretaker = common.caretaker();
        nursery = common.nursery();
        reads = common.reads();
        childSettings = Path.of(properties.getProperty("childSettings"));
    }

    /** Returns when KCL has ended. */
    void run() throws Exception {
        start.start();
        nursery.prepare(childSettings);
        progress.start(start::isStarted);
        retention.start();
        clients.equipKcl();
        PageInterceptor pages = new PageInterceptor();
        Future<DynamoDbStreamsClient> client = CompletableFuture.supplyAsync(
                () -> clients.streams(pages, (stream, calls) -> shared(new DirectPages(stream, calls, pages))),
                TaskThreads.pool("streams-client"));
        WorkerId workerId = new WorkerId(properties, configuration, placements);
        Scheduler scheduler = createScheduler(client);
        LeaseRefresher leases = scheduler.leaseCoordinator().leaseRefresher();
        // The last thing before leases are touched.
        if (start.until(() -> workerId.isInUse(leases))) {
            workerId.replace();
            scheduler = createScheduler(client);
        }
        watch.start();
        coordinator = (FleetLeaseCoordinator) scheduler.leaseCoordinator();
        progress.shards(coordinator::reading);
        holds.watch(coordinator);
        if (!hasNeighbours) {
            metrics.start();
        } else if (properties.getProperty("metricsExecutable") != null) {
            metrics.begun(childSettings);
        }
        if (properties.getProperty("caretakerExecutable") != null) {
            caretaker.begun(childSettings);
        }
        handBack = new HandBack(scheduler, terms, children, holds, turns, configuration);
        scheduler.run();
        if (!exit.isStopping()) { // KCL gave up, as after 20 failed starts
            exit.fail("kcl_stopped",
                    "KCL stopped by itself. Nothing is replicated; the checkpoints are as they were. kcl.log says why.");
        }
    }

    /** The stream's client, whose reads are also those of other tasks, where there are some of this stream. */
    private DynamoDbStreamsClient shared(DynamoDbStreamsClient own) {
        long bytes = number("sharedReadsMegabytes") * MEGABYTE;
        return reads == null || bytes == 0 ? own
                : new SharedPages(own, reads, clients.source(), configuration.getMaxRecords(), bytes);
    }

    private boolean countsLeases() {
        return configuration.getClientVersionConfig() != ClientVersionConfig.CLIENT_VERSION_CONFIG_3X;
    }

    /** The processor of one shard that KCL begins. */
    private ShardRecordProcessor processor() {
        BeginGate gate = new BeginGate(
                shardId -> coordinator.getCurrentlyHeldLease(shardId) != null, children, terms, copyGate, missing);
        return new StreamsRecordProcessor(
                ChildProcessors.of(() -> processes.add(nursery.child(childSettings)), exit::childEnded,
                        daemonConfig.getExecutorService(), configuration),
                children, gate, counts, missing,
                new FirstStart(
                        Long.parseLong(properties.getProperty("firstStartMillis", "0")), isSet("recordTimesHaveSeconds")),
                progress, retention, turns, checkpoints, exit);
    }

    private static DynamoDBLeaseManagementFactory leaseFactory(KclConfiguration kcl) {
        return (DynamoDBLeaseManagementFactory)
                kcl.leaseManagement().leaseManagementFactory(new DynamoDBLeaseSerializer(), false);
    }

    /** Makes KCL's tables ready, too. Nothing else is touched before the scheduler runs. */
    private Scheduler createScheduler(Future<DynamoDbStreamsClient> client) throws Exception {
        configuration.setStreamName(
                KinesisMapperUtil.createKinesisStreamIdentifierFromDynamoDBStreamsArn(
                AdapterArn.of(sourceStreamArn, properties.getProperty("sourceRegion"), properties.getProperty("sourceTable")),
                false));
        KclConfiguration kcl = KclConfiguration.resolve(configuration, this::processor);
        kcls.add(kcl);
        DynamoDBStreamsPollingConfig polling = polling();
        kcl.retrieval().retrievalSpecificConfig(polling);
        kcl.coordinator()
                .shardConsumerDispatchPollIntervalMillis(number("shardConsumerDispatchPollIntervalMillis"))
                .skipShardSyncAtWorkerInitializationIfLeasesExist(true);
        if (isSet("dontPublishCloudwatch")) {
            kcl.metrics().metricsFactory(new NullMetricsFactory());
        }
        start.watch(kcl.coordinator());

        SourceStream stream = sourceStream(kcl, client.get());
        stream.watchReads();
        AmazonDynamoDBStreamsAdapterClient adapter = new AmazonDynamoDBStreamsAdapterClient(
                stream.client(), Region.of(properties.getProperty("sourceRegion")));
        adapter.setSkipRecordsBehavior(SkipRecordsBehavior.KCL_RETRY);
        polling.dataFetcherProvider(config -> new PageFetcher(adapter, config, stream.endOf(config.getShardId()),
                () -> stream.losses().pause(config.getShardId()), backlog, turns, configuration.getIdleTimeBetweenReadsInMillis(),
                number("idleTimeBetweenReadsMaxMillis")));
        manageLeases(kcl, stream, adapter);

        ShardSyncTaskManager shardSync = shardSync(kcl);
        CompletableFuture<Void> tables = new KclTables(kcl, configuration.getWorkerIdentifier(), start).prepare(
                leaseFactory(kcl).createLeaseRefresher(), shardSync::callShardSyncTask, countsLeases());
        Scheduler scheduler = kcl.scheduler();
        try {
            tables.get(); // join would heed no interrupt, and with the task's timers the SDK's calls may never end
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception ? (Exception) e.getCause() : e;
        }
        watchShards(stream, (FleetLeaseRefresher) scheduler.leaseCoordinator().leaseRefresher(), shardSync);
        return scheduler;
    }

    private DynamoDBStreamsPollingConfig polling() {
        DynamoDBStreamsPollingConfig polling = new DynamoDBStreamsPollingConfig(configuration.getStreamName(), null);
        PromptRecordsFetcherFactory fetching = new PromptRecordsFetcherFactory(turns);
        fetching.maxPendingProcessRecordsInput(1); // a 1 MB page takes up to 10 MB here, and a full queue is for each shard
        polling.recordsFetcherFactory(fetching);
        polling.maxRecords(configuration.getMaxRecords());
        polling.idleTimeBetweenReadsInMillis(configuration.getIdleTimeBetweenReadsInMillis());
        return polling;
    }

    /** What is believed of the stream; and the gate by which shards wait for a copy, which reads the same task table. */
    private SourceStream sourceStream(KclConfiguration kcl, DynamoDbStreamsClient client) {
        DynamoDbAsyncClient rows = kcl.leaseManagement().dynamoDBClient();
        TaskTable taskTable = new TaskTable(rows, properties.getProperty("taskTable"));
        copyGate = new CopyGate(taskTable, exit);
        String mirror = properties.getProperty("mirrorTaskTable"); // of an uplink
        return new SourceStream(client, sourceStreamArn,
                new SourceTable(properties.getProperty("sourceTable"), clients::sourceTable), taskTable,
                mirror == null ? LastCopy.of(taskTable, sourceStreamArn) : LastCopy.ofMirror(new TaskTable(rows, mirror)),
                isSet("copiesLosses"), exit);
    }

    /** Has leases taken, renewed and given up as a fleet of writers needs it. */
    private void manageLeases(KclConfiguration kcl, SourceStream stream, AmazonDynamoDBStreamsAdapterClient adapter) {
        kcl.leaseManagement()
                .leaseManagementFactory(new FleetLeaseManagementFactory(adapter, kcl.leaseManagement(), kcl.retrieval(),
                        new LeaseGate(stream.listings(), stream.clock()), terms, counts, turns, countsLeases(),
                        properties.getProperty("taskTable"), clients.leaseCalls(),
                        placements == null ? null : placements.of(configuration.getWorkerIdentifier()), sourceStreamArn))
                .consumerTaskFactory(new DynamoDBStreamsConsumerTaskFactory())
                .leasesRecoveryAuditorInconsistencyConfidenceThreshold(0); // it looks for holes in Kinesis's hash keys
    }

    /** Makes what creates missing leases and names shards that nobody reads; it begins when {@code watch} is started. */
    private void watchShards(SourceStream stream, FleetLeaseRefresher leases, ShardSyncTaskManager shardSync) {
        missing = new MissingLeases(stream.listings(), leases, lease -> coordinator.dropLease(lease));
        watch = new ShardWatch(stream.client(), stream.listings(), leases::listAllLeases,
                new WrongLeases(missing, stream.losses()), configuration.getWorkerIdentifier(),
                shardSync::callShardSyncTask, unread -> metrics.tell(hasNeighbours ? childSettings : null, unread, stream.losses().count()));
    }

    private long number(String name) {
        return Long.parseLong(properties.getProperty(name));
    }

    private boolean isSet(String name) {
        return Boolean.parseBoolean(properties.getProperty(name));
    }

    private static ShardSyncTaskManager shardSync(KclConfiguration kcl) {
        StreamConfig stream = kcl.retrieval().streamTracker().streamConfigList().get(0);
        return leaseFactory(kcl).createShardSyncTaskManager(new NullMetricsFactory(), stream, null);
    }

    /** Children finish the batch in hand and checkpoint it before KCL lets their leases go. */
    void stop() {
        if (!isBegun()) { // nothing is held; KCL's own shutdown would wait for its start
            return;
        }
        if (!exit.isClean()) {
            exit.becomes(holds.exitStatus(exit.status()));
            Event.error("stopping").with("grace_ms", FAILURE_GRACE_MILLIS)
                    .note("Stopping after a failure: its own message is above, or in replication.log and kcl.log. Nothing "
                            + "past the checkpoints is lost; other shards have so long to finish.");
        }
        boolean finished = false;
        long grace = exit.isClean() ? configuration.getShutdownGraceMillis() : FAILURE_GRACE_MILLIS;
        try {
            CompletableFuture.runAsync(handBack::run, TaskThreads.pool("hand-back")).get(grace, TimeUnit.MILLISECONDS);
            finished = true;
        } catch (Exception e) {
            holds.noteStopped();
            if (exit.isClean()) {
                Event.error("stopped_unfinished").with("grace_ms", grace).cause(e)
                        .note("Stopped with a batch still unapplied after shutdownGraceMillis: it is not checkpointed and "
                                + "will be applied at the next start.");
                exit.becomes(Exit.FAILED);
            }
        }
        if (finished && exit.isClean()) {
            progress.stopped();
        }
    }

    boolean isBegun() {
        return handBack != null && start.isStarted();
    }

    /** KCL waits for no shard any more, and no child goes on. */
    void abandon() {
        HandBack begun = handBack;
        if (begun != null) {
            begun.abandon();
        }
        processes.end(CHILDREN_GRACE_MILLIS);
    }

    /** How long a stop that was asked for may take. */
    long graceMillis() {
        return configuration.getShutdownGraceMillis();
    }

    /** Leaves nothing behind, in a process that goes on. */
    void close() {
        start.end();
        processes.end(CHILDREN_GRACE_MILLIS);
        nursery.forget(childSettings);
        metrics.ended(childSettings);
        caretaker.ended(childSettings);
        daemonConfig.getExecutorService().shutdownNow();
        kcls.forEach(KclConfiguration::close);
        clients.close();
    }
}
