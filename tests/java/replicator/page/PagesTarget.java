package replicator.page;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import replicator.Answered;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/** GetRecords' answer: it is refused by an exception of the SDK's, or all that is made of it can be worked with. */
public final class PagesTarget {
    private static final JsonFactory JSON = new JsonFactory();
    private static final Answered HTTP = new Answered();
    private static final DynamoDbStreamsClient STREAM = DynamoDbStreamsClient.builder()
            .region(Region.US_EAST_1).credentialsProvider(Answered.KEYS).httpClient(HTTP)
            .overrideConfiguration(c -> c.addExecutionInterceptor(new PageInterceptor())
                    .retryStrategy(DefaultRetryStrategy.doNotRetry()))
            .build();

    private PagesTarget() {}

    /** Loads classes, which takes longer than an input may. */
    public static void fuzzerInitialize() throws IOException {
        fuzzerTestOneInput("{}".getBytes(StandardCharsets.UTF_8));
    }

    public static void fuzzerTestOneInput(byte[] data) throws IOException {
        HTTP.say(data);
        AtomicReference<Page> found = new AtomicReference<>();
        GetRecordsResponse rest;
        try {
            rest = STREAM.getRecords(r -> r.shardIterator("iterator").overrideConfiguration(
                    AwsRequestOverrideConfiguration.builder().putExecutionAttribute(PageInterceptor.PAGE, found).build()));
        } catch (SdkException e) {
            return;
        }
        Page page = found.get();
        if (!isText(data)) { // Jackson takes a name of wrong bytes that resembles one it has read; the child looks again
            return;
        }
        check(page.nextShardIterator() == null
                ? rest.nextShardIterator() == null : page.nextShardIterator().equals(rest.nextShardIterator()));
        for (KinesisClientRecord record : page.records()) {
            check(record.sequenceNumber().matches("[0-9]{1,100}"));
            Instant made = record.approximateArrivalTimestamp();
            Duration.between(made, Instant.EPOCH).toMillis(); // as lags are reckoned, in 64 bits
            Math.addExact(made.toEpochMilli(), 1_000_000_000_000L);
            check(elements(bytes(record.data()), JsonToken.START_OBJECT) >= 0);
        }
        if (!page.records().isEmpty()) {
            KinesisClientRecord joined = Page.joined(page.records());
            check(elements(bytes(joined.data()), JsonToken.START_ARRAY) == page.records().size());
        }
    }

    private static boolean isText(byte[] data) {
        return Arrays.equals(new String(data, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8), data);
    }

    /** How many values are in an array, or names in an object, that is all there is. */
    private static int elements(byte[] text, JsonToken kind) throws IOException {
        try (JsonParser json = JSON.createParser(text)) {
            check(json.nextToken() == kind);
            int found = 0;
            for (JsonToken each = json.nextToken(); !each.isStructEnd(); each = json.nextToken()) {
                json.skipChildren();
                found++;
            }
            check(json.nextToken() == null);
            return found;
        }
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] copy = new byte[buffer.remaining()];
        buffer.duplicate().get(copy);
        return copy;
    }

    private static void check(boolean holds) {
        if (!holds) {
            throw new AssertionError("what was made of the answer can't be worked with");
        }
    }
}
