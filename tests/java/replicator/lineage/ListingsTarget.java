package replicator.lineage;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import replicator.Answered;
import replicator.stream.Listings;
import replicator.stream.StreamListing;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ScanResponse;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseSerializer;

/**
 * A page of the checkpoint table (Scan), which is the first line, and the pages of a listing (DescribeStream): either is
 * refused, or each shard is sorted by both.
 */
public final class ListingsTarget {
    private static final Answered HTTP = new Answered();
    private static final DynamoDbClient TABLE = DynamoDbClient.builder()
            .region(Region.US_EAST_1).credentialsProvider(Answered.KEYS).httpClient(HTTP)
            .overrideConfiguration(c -> c.retryStrategy(DefaultRetryStrategy.doNotRetry())).build();
    private static final DynamoDbStreamsClient STREAM = DynamoDbStreamsClient.builder()
            .region(Region.US_EAST_1).credentialsProvider(Answered.KEYS).httpClient(HTTP)
            .overrideConfiguration(c -> c.retryStrategy(DefaultRetryStrategy.doNotRetry())).build();

    private ListingsTarget() {}

    /** Loads classes, which takes longer than an input may. */
    public static void fuzzerInitialize() {
        fuzzerTestOneInput("{}".getBytes(StandardCharsets.UTF_8));
    }

    public static void fuzzerTestOneInput(byte[] data) {
        int end = Answered.lines(data).get(0).length;
        HTTP.say(java.util.Arrays.copyOf(data, end));
        Map<String, Lease> leases = leases();
        HTTP.say(java.util.Arrays.copyOfRange(data, Math.min(end + 1, data.length), data.length));
        StreamListing listing;
        try {
            listing = Listings.read(STREAM);
        } catch (SdkException | IllegalStateException e) {
            return;
        }
        Lineage lineage = new Lineage(listing, leases);
        for (String shardId : lineage.unread()) {
            check(listing.has(shardId) && !leases.containsKey(shardId));
            check(!lineage.ofUnknownEnd().contains(shardId));
        }
        for (Shard shard : listing.shards()) {
            check(!listing.isOpen(shard.shardId()) || listing.childrenOf(shard.shardId()).isEmpty());
        }
    }

    /** What KCL makes of rows; those it can't read fail its call, which is said. */
    private static Map<String, Lease> leases() {
        Map<String, Lease> leases = new HashMap<>();
        try {
            ScanResponse page = TABLE.scan(r -> r.tableName("t"));
            for (Map<String, AttributeValue> row : page.items()) {
                Lease lease = new DynamoDBLeaseSerializer().fromDynamoRecord(row);
                leases.put(lease.leaseKey(), lease);
            }
        } catch (RuntimeException e) {
            leases.clear();
        }
        return leases;
    }

    private static void check(boolean holds) {
        if (!holds) {
            throw new AssertionError("the listing says two things of a shard");
        }
    }
}
