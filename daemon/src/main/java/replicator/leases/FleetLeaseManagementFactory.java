package replicator.leases;

import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsLeaseManagementFactory;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import replicator.aws.DirectCalls;
import replicator.process.DispatchTurns;
import replicator.rows.OutageRow;
import software.amazon.kinesis.common.DdbTableConfig;
import software.amazon.kinesis.leases.LeaseCoordinator;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.leases.ShardInfo;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseRefresher;
import software.amazon.kinesis.lifecycle.ShardConsumer;
import software.amazon.kinesis.metrics.MetricsFactory;
import software.amazon.kinesis.retrieval.RetrievalConfig;

/** Makes the adapter's lease management, with {@link FleetLeaseCoordinator} and {@link FleetLeaseRefresher} in place of KCL's. */
public final class FleetLeaseManagementFactory extends DynamoDBStreamsLeaseManagementFactory {
    private final LeaseManagementConfig config;
    private final LeaseGate gate;
    private final LeaseTerms terms;
    private final RecordCounts counts;
    private final DispatchTurns turns;
    private final boolean countingLeases;
    private final String taskTable;
    private final DirectCalls direct;
    private final Placement placement;
    private final String stream;

    /**
     * @param countingLeases whether workers take leases by counting them, as KCL 2 does; else KCL 3's leader assigns them
     * @param taskTable where an outage of the checkpoint table is noted for status
     * @param direct of the checkpoint table's client
     * @param placement of this task's worker id in a process with many tasks; null where KCL decides which leases are taken
     * @param streamArn which this task reads
     */
    public FleetLeaseManagementFactory(
            AmazonDynamoDBStreamsAdapterClient stream,
            LeaseManagementConfig config,
            RetrievalConfig retrieval,
            LeaseGate gate,
            LeaseTerms terms,
            RecordCounts counts,
            DispatchTurns turns,
            boolean countingLeases,
            String taskTable,
            DirectCalls direct,
            Placement placement,
            String streamArn) {
        super(stream, config, retrieval);
        this.config = config;
        this.gate = gate;
        this.terms = terms;
        this.counts = counts;
        this.turns = turns;
        this.countingLeases = countingLeases;
        this.taskTable = taskTable;
        this.direct = direct;
        this.placement = placement;
        this.stream = streamArn;
    }

    @Override
    public LeaseCoordinator createLeaseCoordinator(
            MetricsFactory metrics, ConcurrentMap<ShardInfo, ShardConsumer> consumers) {
        LeaseAttempts attempts = new LeaseAttempts();
        LeaseChoice choice = choice();
        FleetLeaseRefresher leases = new FleetLeaseRefresher(
                getTableName(),
                LeaseTableClient.of(getDynamoDBClient(), attempts, terms, counts, config.failoverTimeMillis(),
                        direct),
                getLeaseSerializer(),
                isConsistentReads(),
                getTableCreatorCallback(),
                getDynamoDbRequestTimeout(),
                tableConfig(),
                isLeaseTableDeletionProtectionEnabled(),
                isLeaseTablePitrEnabled(),
                getTags(),
                gate,
                terms,
                attempts,
                new LeaseTableHealth(getTableName(), getDynamoDBClient(),
                        new OutageRow(getDynamoDBClient(), taskTable, config.workerIdentifier())),
                new TakingTime(config.failoverTimeMillis()),
                turns::wake,
                choice);
        return new FleetLeaseCoordinator(leases, config, metrics, consumers, terms, turns, countingLeases, choice != null);
    }

    /** Null where KCL is to choose. */
    private LeaseChoice choice() {
        return placement != null && countingLeases ? new LeaseChoice(placement, stream,
                TimeUnit.MILLISECONDS.toNanos(config.failoverTimeMillis()), System::nanoTime) : null;
    }

    /** For KCL's shard sync, which is to see the leases of finished shards, too. */
    @Override
    public DynamoDBLeaseRefresher createLeaseRefresher() {
        return new GuardedLeaseRefresher(
                getTableName(),
                getDynamoDBClient(),
                getLeaseSerializer(),
                isConsistentReads(),
                getTableCreatorCallback(),
                getDynamoDbRequestTimeout(),
                tableConfig(),
                isLeaseTableDeletionProtectionEnabled(),
                isLeaseTablePitrEnabled(),
                getTags(),
                gate,
                turns::wake);
    }

    private DdbTableConfig tableConfig() {
        DdbTableConfig table = new DdbTableConfig();
        table.billingMode(getBillingMode());
        table.readCapacity(getInitialLeaseTableReadCapacity());
        table.writeCapacity(getInitialLeaseTableWriteCapacity());
        return table;
    }
}
