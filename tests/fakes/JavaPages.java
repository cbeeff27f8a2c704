// What the daemon makes of GetRecords' answers. Each line of input is one call, of two tries, to the endpoint that is the
// argument. The answer is a line: the next iterator or "-"; of each record its sequence number, its time in ms and its
// bytes in base64; at last the batch that they make, its number and bytes. Or "error" and what was thrown, in base64.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Method;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.core.interceptor.ExecutionAttribute;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.StandardRetryStrategy;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

public final class JavaPages {
    private static final String PACKAGE = "software.amazon.kinesis.multilang.config.";
    private static final Class<?> PAGE = type("Page");

    public static void main(String[] args) throws Exception {
        var constructor = type("PageInterceptor").getDeclaredConstructor();
        constructor.setAccessible(true);
        var interceptor = (ExecutionInterceptor) constructor.newInstance();
        DynamoDbStreamsClient stream = DynamoDbStreamsClient.builder()
                .region(Region.US_EAST_1).endpointOverride(URI.create(args[0]))
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("k", "s")))
                .overrideConfiguration(c -> c.addExecutionInterceptor(interceptor)
                        .retryStrategy(StandardRetryStrategy.builder().maxAttempts(2).build())).build();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        while (input.readLine() != null) {
            String line;
            try {
                line = read(stream);
            } catch (Exception e) {
                line = "error " + encode(ByteBuffer.wrap(e.toString().getBytes(StandardCharsets.UTF_8)));
            }
            System.out.println(line);
            System.out.flush();
        }
    }

    @SuppressWarnings("unchecked")
    private static String read(DynamoDbStreamsClient stream) throws Exception {
        var field = type("PageInterceptor").getDeclaredField("PAGE");
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
            return Class.forName(PACKAGE + name);
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
