// What the daemon makes of GetRecords' answers. Each line of input is one call, of two tries, to the endpoint that is the
// argument. The answer is a line: the next iterator or "-"; of each record its sequence number, its time in ms and its
// bytes in base64; at last the batch that they make, its number and bytes. Or "error" and what was thrown, in base64. After
// "reset" it is whether a shard is said to be at its end: at its end, after KCL went back to before it, at its end again.
import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsDataFetcher;
import com.amazonaws.services.dynamodbv2.streamsadapter.util.KinesisMapperUtil;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Method;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Stream;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.core.interceptor.ExecutionAttribute;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.StandardRetryStrategy;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.StreamIdentifier;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.KinesisDataFetcherProviderConfig;

public final class JavaPages {
    private static final Class<?> PAGE = type("page.Page");

    public static void main(String[] args) throws Exception {
        var constructor = type("page.PageInterceptor").getDeclaredConstructor();
        constructor.setAccessible(true);
        var interceptor = (ExecutionInterceptor) constructor.newInstance();
        DynamoDbStreamsClient stream = DynamoDbStreamsClient.builder()
                .region(Region.US_EAST_1).endpointOverride(URI.create(args[0]))
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("k", "s")))
                .overrideConfiguration(c -> c.addExecutionInterceptor(interceptor)
                        .retryStrategy(StandardRetryStrategy.builder().maxAttempts(2).build())).build();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String asked; (asked = input.readLine()) != null; ) {
            String line;
            try {
                line = asked.equals("reset") ? reset(stream) : read(stream);
            } catch (Exception e) {
                line = "error " + encode(ByteBuffer.wrap(e.toString().getBytes(StandardCharsets.UTF_8)));
            }
            System.out.println(line);
            System.out.flush();
        }
    }

    /** A shard's end is read, then KCL goes back to before it, and a page comes that is not the last. */
    private static String reset(DynamoDbStreamsClient stream) throws Exception {
        var adapter = new AmazonDynamoDBStreamsAdapterClient(stream, Region.US_EAST_1);
        String name = KinesisMapperUtil.createKinesisStreamIdentifierFromDynamoDBStreamsArn(
                "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000", false);
        var config = new KinesisDataFetcherProviderConfig(
                StreamIdentifier.singleStreamInstance(name), "shard", new NullMetricsFactory(), 1000, Duration.ofSeconds(9));
        Object listings = made("stream.StreamListings", stream, "arn");
        var look = type("stream.StreamListings").getDeclaredMethod("look");
        look.setAccessible(true);
        Supplier<Object> listing = () -> {
            try {
                return look.invoke(listings);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        };
        Object end = made("stream.ShardEnd", stream, listing, made("stream.StreamEnd", "arn"), "shard");
        var fetcher = (DynamoDBStreamsDataFetcher) made("page.PageFetcher", adapter, config, end, (Runnable) () -> {},
                made("page.Backlog"), made("process.DispatchTurns", Thread.currentThread()), 125L, 1_000L);
        var initial = InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);
        fetcher.initialize("TRIM_HORIZON", initial);
        List<String> ends = new ArrayList<>();
        fetcher.getRecords().acceptAdapter();
        ends.add(String.valueOf(fetcher.isShardEndReached()));
        fetcher.resetIterator("iterator", "1", initial);
        fetcher.getRecords().acceptAdapter();
        ends.add(String.valueOf(fetcher.isShardEndReached()));
        Thread.sleep(600); // else the last listing would do
        fetcher.getRecords().acceptAdapter();
        ends.add(String.valueOf(fetcher.isShardEndReached()));
        return "- " + String.join(" ", ends);
    }

    private static Object made(String name, Object... arguments) throws Exception {
        var constructor = Stream.of(type(name).getDeclaredConstructors())
                .filter(each -> each.getParameterCount() == arguments.length).findFirst().orElseThrow();
        constructor.setAccessible(true);
        return constructor.newInstance(arguments);
    }

    @SuppressWarnings("unchecked")
    private static String read(DynamoDbStreamsClient stream) throws Exception {
        var field = type("page.PageInterceptor").getDeclaredField("PAGE");
        field.setAccessible(true);
        AtomicReference<Object> page = new AtomicReference<>();
        GetRecordsResponse rest = stream.getRecords(r -> {
            try {
                r.shardIterator("iterator").overrideConfiguration(AwsRequestOverrideConfiguration.builder()
                        .putExecutionAttribute((ExecutionAttribute<AtomicReference<Object>>) field.get(null), page).build());
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(e);
            }
        });
        List<String> found = new ArrayList<>();
        found.add(rest.nextShardIterator() == null ? "-" : rest.nextShardIterator());
        var records = (List<KinesisClientRecord>) method("records").invoke(page.get());
        for (KinesisClientRecord record : records) {
            found.add(record.sequenceNumber());
            found.add(String.valueOf(record.approximateArrivalTimestamp().toEpochMilli()));
            found.add(encode(record.data()));
        }
        if (!records.isEmpty()) {
            var joined = (KinesisClientRecord) method("joined", List.class).invoke(null, records);
            found.add(joined.sequenceNumber());
            found.add(encode(joined.data()));
        }
        return String.join(" ", found);
    }

    private static String encode(ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return Base64.getEncoder().encodeToString(copy);
    }

    private static Class<?> type(String name) {
        try {
            return Class.forName("replicator." + name);
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Method method(String name, Class<?>... types) throws Exception {
        Method found = PAGE.getDeclaredMethod(name, types);
        found.setAccessible(true);
        return found;
    }
}
