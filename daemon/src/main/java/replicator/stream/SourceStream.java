package software.amazon.kinesis.multilang.config;

import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.kinesis.retrieval.DataFetcherProviderConfig;

/** The source's stream, and all that decides what of its answers is believed. */
final class SourceStream {
    private final StreamListings listings;
    private final Losses losses;
    private final LeaseGate gate;
    private final StreamEnd end;
    private final GuardedStreamsClient guarded;

    SourceStream(DynamoDbStreamsClient client, String trueArn, SourceTable table, TaskTable taskTable) {
        LongSupplier clock = () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
        listings = new StreamListings(client, trueArn);
        Absence absence = new Absence(listings, trueArn, table::isWithoutStream, clock);
        losses = new Losses(new LossRows(taskTable), new LastCopy(taskTable, trueArn));
        gate = new LeaseGate(listings, clock);
        end = new StreamEnd(trueArn);
        guarded = new GuardedStreamsClient(client, trueArn, listings, absence, losses);
    }

    GuardedStreamsClient client() {
        return guarded;
    }

    StreamListings listings() {
        return listings;
    }

    Losses losses() {
        return losses;
    }

    LeaseGate gate() {
        return gate;
    }

    /** Reads one shard. */
    PageFetcher fetcher(AmazonDynamoDBStreamsAdapterClient adapter, DataFetcherProviderConfig config) {
        String shardId = config.getShardId();
        return new PageFetcher(
                adapter, config, new ShardEnd(guarded, guarded::listing, end, shardId), () -> losses.pause(shardId));
    }
}
