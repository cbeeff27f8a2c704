// What the daemon's clients make of answers. The argument is the endpoint of all. Each line of input names a client: table
// (DescribeTable of the source), role (AssumeRole), metrics (CloudWatch). The answer is a line: "ok", or "error" and what was
// thrown, with its causes.
import ch.qos.logback.classic.LoggerContext;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.net.URI;
import java.time.Duration;
import java.util.Properties;
import java.util.function.Supplier;
import org.slf4j.LoggerFactory;
import replicator.log.Secrets;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;

public final class JavaAnswers {
    private static final String PACKAGE = "replicator.aws.";
    private static final Supplier<AwsCredentialsProvider> KEYS =
            () -> StaticCredentialsProvider.create(AwsBasicCredentials.create("k", "s"));

    private static final Secrets SECRETS = Secrets.of((LoggerContext) LoggerFactory.getILoggerFactory());

    public static void main(String[] args) throws Exception {
        method("AnswerBounds", "install").invoke(null);
        Properties properties = new Properties();
        properties.setProperty("sourceRegion", "us-east-1");
        properties.setProperty("sourceEndpoint", args[0]);
        properties.setProperty("sourceRoleArn", "arn:aws:iam::123456789012:role/reader");
        properties.setProperty("sourceRoleSessionName", "session");
        properties.setProperty("sourceRoleRegion", "us-east-1");
        properties.setProperty("sourceRoleEndpoint", args[0]);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String client; (client = input.readLine()) != null; ) {
            String line = "ok";
            try {
                ask(client, properties, args[0]);
            } catch (Throwable t) {
                line = "error";
                for (Throwable each = t; each != null; each = each.getCause()) {
                    line += " " + each.toString().replaceAll("\\s+", " ");
                }
            }
            System.out.println(line);
            System.out.flush();
        }
    }

    private static void ask(String client, Properties properties, String endpoint) throws Exception {
        switch (client) {
            case "table":
                Properties ownKeys = (Properties) properties.clone();
                ownKeys.remove("sourceRoleArn");
                Constructor<?> clients = type("AwsClients").getDeclaredConstructors()[0];
                clients.setAccessible(true);
                Method made = method("AwsClients", "sourceTable");
                try (DynamoDbClient table = (DynamoDbClient) made.invoke(clients.newInstance(ownKeys, null, SECRETS))) {
                    table.describeTable(r -> r.tableName("table"));
                }
                break;
            case "role":
                Method of = method("Identity", "of", Properties.class, String.class, Supplier.class, Secrets.class);
                ((AwsCredentialsProvider) of.invoke(null, properties, "source", KEYS, SECRETS)).resolveCredentials();
                break;
            default:
                Method async = method("ProxiedHttpService", "async", String.class);
                try (CloudWatchAsyncClient metrics = CloudWatchAsyncClient.builder().region(Region.US_EAST_1)
                        .endpointOverride(URI.create(endpoint)).credentialsProvider(KEYS.get())
                        .overrideConfiguration(c -> c.apiCallAttemptTimeout(Duration.ofSeconds(3))) // AnswerBounds.TIME: 30
                        .httpClient((SdkAsyncHttpClient) async.invoke(null, "metrics")).build()) {
                    metrics.putMetricData(r -> r.namespace("n").metricData(d -> d.metricName("m").value(1.0))).join();
                }
        }
    }

    private static Class<?> type(String name) throws ClassNotFoundException {
        return Class.forName(PACKAGE + name);
    }

    private static Method method(String type, String name, Class<?>... types) throws Exception {
        Method found = type(type).getDeclaredMethod(name, types);
        found.setAccessible(true);
        return found;
    }
}
