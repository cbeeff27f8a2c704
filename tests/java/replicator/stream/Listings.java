package replicator.stream;

import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamResponse;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** Listings, for tests in other packages. */
public final class Listings {
    private Listings() {}

    /** As an enabled stream's one answer makes it. */
    public static StreamListing of(Shard... shards) {
        DescribeStreamResponse answer = DescribeStreamResponse.builder()
                .streamDescription(d -> d.streamStatus("ENABLED").shards(shards)).build();
        return read((DynamoDbStreamsClient) Proxy.newProxyInstance(Listings.class.getClassLoader(),
                new Class<?>[] {DynamoDbStreamsClient.class}, (proxy, method, arguments) -> answer));
    }

    /** What looks at an enabled stream of these shards; it counts its calls in {@code calls}. */
    public static StreamListings looking(AtomicInteger calls, Shard... shards) {
        DescribeStreamResponse answer = DescribeStreamResponse.builder()
                .streamDescription(d -> d.streamStatus("ENABLED").shards(shards)).build();
        return new StreamListings((DynamoDbStreamsClient) Proxy.newProxyInstance(Listings.class.getClassLoader(),
                new Class<?>[] {DynamoDbStreamsClient.class}, (proxy, method, arguments) -> {
                    calls.incrementAndGet();
                    return answer;
                }), "arn");
    }

    /** Losses where there are none. */
    public static Losses noLosses() {
        return new Losses(null, null, false);
    }

    /** As a client's answers make it. */
    public static StreamListing read(DynamoDbStreamsClient client) {
        return StreamListing.read(client, "arn");
    }
}
