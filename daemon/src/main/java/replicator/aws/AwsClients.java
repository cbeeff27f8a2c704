package replicator.aws;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import replicator.log.Secrets;
import replicator.process.TaskThreads;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProviderChain;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.client.config.ClientAsyncConfiguration;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.core.client.config.SdkAdvancedAsyncClientOption;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.StandardRetryStrategy;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.kinesis.multilang.config.BuilderDynaBean;
import software.amazon.kinesis.multilang.config.KclConfiguration;
import software.amazon.kinesis.multilang.config.MultiLangDaemonConfiguration;

/**
 * Makes the daemon's clients: of the stream, of the source table, and KCL's own of its tables and of CloudWatch. Endpoints and
 * the region of STS are those that Python has found ({@code processor/aws/endpoints.py}), unless a property of KCL's is set.
 */
public final class AwsClients {
    private static final Logger LOG = LoggerFactory.getLogger(AwsClients.class);
    private static final String ALL = "AwsCredentialsProvider";
    private static final String USUAL = "DefaultCredentialsProvider";

    /** The SDK would wait 30 s for a stream that is silent. */
    private static final Duration STREAM_SILENCE = Duration.ofSeconds(5);

    private final Properties properties;
    private final MultiLangDaemonConfiguration configuration;
    private final Secrets secrets;
    private final Queue<AutoCloseable> made = new ConcurrentLinkedQueue<>();
    private DirectCalls leaseCalls = DirectCalls.none();

    /** @param secrets told of all credentials that are found */
    public AwsClients(Properties properties, MultiLangDaemonConfiguration configuration, Secrets secrets) {
        this.properties = properties;
        this.configuration = configuration;
        this.secrets = secrets;
    }

    /** KCL's clients are the task's. */
    public void equipKcl() {
        RenewedCredentials leases = identity("kcl", "AwsCredentialsProviderDynamoDB");
        BuilderDynaBean tables = configuration.getDynamoDbClient();
        ThreadedHttpClient http = kept(ProxiedHttpService.async("kcl-tables"));
        boolean isOurs = Stream.of("credentialsProvider", "overrideConfiguration", "httpClient")
                .noneMatch(each -> KclConfiguration.isSet(tables, each));
        if (isOurs) {
            leaseCalls = new DirectCalls(leases, http.client(), http.threads(), System::nanoTime);
        }
        equip(tables, leases, "dynamoDBEndpoint", http, leaseCalls.learning());
        RenewedCredentials metrics = provider("AwsCredentialsProviderDynamoDB") == null
                && provider("AwsCredentialsProviderCloudWatch") == null
                ? leases : identity("kcl", "AwsCredentialsProviderCloudWatch");
        equip(configuration.getCloudWatchClient(), metrics, "cloudWatchEndpoint",
                kept(ProxiedHttpService.async("cloudwatch")));
    }

    /** Direct calls of KCL's tables; after {@link #equipKcl}. */
    public DirectCalls leaseCalls() {
        return leaseCalls;
    }

    private void equip(BuilderDynaBean client, RenewedCredentials credentials, String endpointProperty,
            SdkAsyncHttpClient http, ExecutionInterceptor... interceptors) {
        if (!KclConfiguration.isSet(client, "credentialsProvider")) {
            client.set("credentialsProvider", credentials);
            if (!KclConfiguration.isSet(client, "overrideConfiguration")) {
                ClientOverrideConfiguration.Builder override = ClientOverrideConfiguration.builder()
                        .scheduledExecutorService(timers()).addExecutionInterceptor(credentials);
                Stream.of(interceptors).forEach(override::addExecutionInterceptor);
                client.set("overrideConfiguration", override.build());
            }
        }
        String told = properties.getProperty(endpointProperty);
        if (told != null && !KclConfiguration.isSet(client, "endpointOverride")) {
            client.set("endpointOverride", URI.create(told));
        }
        if (!KclConfiguration.isSet(client, "httpClient")) {
            client.set("httpClient", http);
        }
        if (!KclConfiguration.isSet(client, "asyncConfiguration")) { // on the thread that has the answer
            client.set("asyncConfiguration", ClientAsyncConfiguration.builder()
                    .advancedOption(SdkAdvancedAsyncClientOption.FUTURE_COMPLETION_EXECUTOR, Runnable::run).build());
        }
    }

    /**
     * For a client's time-outs and pauses between tries. In the SDK's own the time-outs of calls that were answered stay, and
     * each wakes a thread in the end.
     */
    private static ScheduledExecutorService timers() {
        return TaskThreads.timers("call-timers", 2);
    }

    /**
     * Reads the stream.
     *
     * @param pages takes GetRecords' answers before the SDK does
     * @param direct makes of the SDK's client one that has GetRecords made directly
     */
    public DynamoDbStreamsClient streams(
            ExecutionInterceptor pages, BiFunction<DynamoDbStreamsClient, DirectCalls, DynamoDbStreamsClient> direct) {
        RenewedCredentials credentials = identity("source", ALL);
        // The adapter's own backoff, which a client passed in must bring along. It would try ten times; KCL reads again
        // by itself, and after five (about 1.5 s) the operator should hear of it.
        BackoffStrategy backoff = BackoffStrategy.exponentialDelay(Duration.ofMillis(100), Duration.ofSeconds(10));
        StandardRetryStrategy retries = StandardRetryStrategy.builder()
                .maxAttempts(5).backoffStrategy(backoff).throttlingBackoffStrategy(backoff).build();
        SdkHttpClient http = kept(ProxiedHttpService.sync().maxConnections(1_000).socketTimeout(STREAM_SILENCE).build());
        DirectCalls calls = new DirectCalls(credentials, http, Runnable::run, System::nanoTime);
        var builder = DynamoDbStreamsClient.builder()
                .region(Region.of(properties.getProperty("sourceRegion")))
                .credentialsProvider(credentials)
                .httpClient(http)
                .overrideConfiguration(c -> c.retryStrategy(retries)
                        .addExecutionInterceptor(pages).addExecutionInterceptor(credentials)
                        .addExecutionInterceptor(calls.learning()));
        String endpoint = properties.getProperty("sourceStreamsEndpoint");
        DynamoDbStreamsClient client =
                endpoint == null ? builder.build() : builder.endpointOverride(URI.create(endpoint)).build();
        return kept(direct.apply(client, calls));
    }

    /** All that a task says of its source: where two tasks say the same, the stream is one, and so is who reads it. */
    public Map<String, String> source() {
        return properties.stringPropertyNames().stream()
                .filter(each -> each.startsWith("source") || each.equalsIgnoreCase(ALL))
                .collect(Collectors.toMap(each -> each, properties::getProperty));
    }

    /** Asks for the source table, as whoever reads its stream. */
    public DynamoDbClient sourceTable() {
        RenewedCredentials credentials = identity("source", ALL);
        var builder = DynamoDbClient.builder()
                .region(Region.of(properties.getProperty("sourceRegion")))
                .credentialsProvider(credentials)
                .httpClientBuilder(ProxiedHttpService.sync().maxConnections(2))
                // Whoever asks does so again; the SDK's nine tries of a hanging call would be minutes.
                .overrideConfiguration(c -> c.addExecutionInterceptor(credentials)
                        .retryStrategy(AwsRetryStrategy.standardRetryStrategy().toBuilder().maxAttempts(2).build()));
        String endpoint = properties.getProperty("sourceEndpoint");
        return kept(endpoint == null ? builder.build() : builder.endpointOverride(URI.create(endpoint)).build());
    }

    /** Ends what was made here: connections, and the threads that belong to no task. */
    public void close() {
        for (AutoCloseable each = made.poll(); each != null; each = made.poll()) {
            try {
                each.close();
            } catch (Exception e) {
                LOG.debug("A client can't be closed", e);
            }
        }
    }

    private <T extends AutoCloseable> T kept(T client) {
        made.add(client);
        return client;
    }

    private RenewedCredentials identity(String side, String kclProperty) {
        return Identity.of(properties, side, own(kclProperty), secrets);
    }

    /** What KCL would use: the property of one client, or else that of all. */
    private Supplier<AwsCredentialsProvider> own(String name) {
        String given = provider(name) != null ? provider(name) : provider(ALL);
        return () -> AwsCredentialsProviderChain.builder()
                .credentialsProviders(Stream.of(given == null ? new String[] {USUAL} : given.split(","))
                        .map(AwsClients::made).toArray(AwsCredentialsProvider[]::new))
                .build();
    }

    /** KCL takes this name in any case. */
    private String provider(String name) {
        return properties.stringPropertyNames().stream().filter(name::equalsIgnoreCase).findFirst()
                .map(properties::getProperty).orElse(null);
    }

    private static AwsCredentialsProvider made(String name) {
        return name.strip().equals(USUAL) ? DefaultCredentialsProvider.builder().build() // create() has one for ever
                : KclConfiguration.credentialsProvider(name.strip());
    }
}
