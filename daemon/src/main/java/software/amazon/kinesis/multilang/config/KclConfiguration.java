package software.amazon.kinesis.multilang.config;

import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.kinesis.checkpoint.CheckpointConfig;
import software.amazon.kinesis.coordinator.CoordinatorConfig;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.lifecycle.LifecycleConfig;
import software.amazon.kinesis.metrics.MetricsConfig;
import software.amazon.kinesis.multilang.config.MultiLangDaemonConfiguration.ResolvedConfiguration;
import software.amazon.kinesis.processor.ProcessorConfig;
import software.amazon.kinesis.processor.ShardRecordProcessorFactory;
import software.amazon.kinesis.retrieval.RetrievalConfig;

/**
 * The configuration that KCL's MultiLangDaemon makes of its properties, and what else of it only its own package can reach.
 *
 * <p>That is all this class is for: everything else of the daemon is in packages of its own, below {@code replicator}.
 */
public final class KclConfiguration {
    private final CheckpointConfig checkpoint;
    private final CoordinatorConfig coordinator;
    private final LeaseManagementConfig leaseManagement;
    private final LifecycleConfig lifecycle;
    private final MetricsConfig metrics;
    private final ProcessorConfig processor;
    private final RetrievalConfig retrieval;

    private KclConfiguration(ResolvedConfiguration resolved) {
        checkpoint = resolved.getCheckpointConfig();
        coordinator = resolved.getCoordinatorConfig();
        leaseManagement = resolved.getLeaseManagementConfig();
        lifecycle = resolved.getLifecycleConfig();
        metrics = resolved.getMetricsConfig();
        processor = resolved.getProcessorConfig();
        retrieval = resolved.getRetrievalConfig();
    }

    /** @param processors makes the processor of each shard that is begun */
    public static KclConfiguration resolve(
            MultiLangDaemonConfiguration configuration, ShardRecordProcessorFactory processors) {
        return new KclConfiguration(configuration.resolvedConfiguration(processors));
    }

    /** Whether a user has set a property of a client's. */
    public static boolean isSet(BuilderDynaBean client, String property) {
        return client.hasValue(property);
    }

    /**
     * What KCL makes of one element of its {@code AwsCredentialsProvider} properties.
     *
     * @throws RuntimeException if it can make nothing of it
     */
    public static AwsCredentialsProvider credentialsProvider(String element) {
        return new AwsCredentialsProviderPropertyValueDecoder().decodeValue(element);
    }

    public CoordinatorConfig coordinator() {
        return coordinator;
    }

    public LeaseManagementConfig leaseManagement() {
        return leaseManagement;
    }

    public MetricsConfig metrics() {
        return metrics;
    }

    public RetrievalConfig retrieval() {
        return retrieval;
    }

    /** Closes the clients that this configuration has made, once nothing uses them. */
    public void close() {
        leaseManagement.dynamoDBClient().close();
        leaseManagement.kinesisClient().close();
        metrics.cloudWatchClient().close();
    }

    /** KCL's scheduler, as this configuration stands now. */
    public Scheduler scheduler() {
        return new Scheduler(checkpoint, coordinator, leaseManagement, lifecycle, metrics, processor, retrieval);
    }
}
