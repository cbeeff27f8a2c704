package software.amazon.kinesis.multilang.config;

import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsDataFetcher;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.kinesis.model.ChildShard;
import software.amazon.kinesis.retrieval.DataFetcherProviderConfig;
import software.amazon.kinesis.retrieval.GetRecordsResponseAdapter;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/** The adapter's reading of one shard, but for the records, which stay the bytes they came as. */
final class PageFetcher extends DynamoDBStreamsDataFetcher {
    private volatile int lastBytes;

    PageFetcher(AmazonDynamoDBStreamsAdapterClient adapter, DataFetcherProviderConfig config) {
        super(adapter, config);
    }

    @Override
    public GetRecordsResponseAdapter getGetRecordsResponse(GetRecordsRequest request)
            throws ExecutionException, InterruptedException, TimeoutException {
        AtomicReference<Page> page = new AtomicReference<>();
        AwsRequestOverrideConfiguration.Builder override = request.overrideConfiguration()
                .map(AwsRequestOverrideConfiguration::toBuilder).orElseGet(AwsRequestOverrideConfiguration::builder);
        GetRecordsResponseAdapter rest = super.getGetRecordsResponse(request.toBuilder()
                .overrideConfiguration(override.putExecutionAttribute(PageInterceptor.PAGE, page).build()).build());
        lastBytes = page.get().bytes();
        return new Response(page.get(), rest);
    }

    /** The length of the last page. */
    int lastBytes() {
        return lastBytes;
    }

    /** KCL asks each of these several times. */
    private static final class Response implements GetRecordsResponseAdapter {
        private final List<KinesisClientRecord> records;
        private final GetRecordsResponseAdapter rest;

        Response(Page page, GetRecordsResponseAdapter rest) {
            this.records = page.records();
            this.rest = rest;
        }

        @Override
        public List<KinesisClientRecord> records() {
            return records;
        }

        /** As the adapter has it. */
        @Override
        public Long millisBehindLatest() {
            if (records.isEmpty()) {
                return null;
            }
            Instant last = records.get(records.size() - 1).approximateArrivalTimestamp();
            return Math.max(0, Duration.between(last, Instant.now()).toMillis());
        }

        @Override
        public List<ChildShard> childShards() {
            return rest.childShards();
        }

        @Override
        public String nextShardIterator() {
            return rest.nextShardIterator();
        }

        @Override
        public String requestId() {
            return rest.requestId();
        }
    }
}
