package replicator.stream;

import java.lang.reflect.Proxy;
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

    /** As a client's answers make it. */
    public static StreamListing read(DynamoDbStreamsClient client) {
        return StreamListing.read(client, "arn");
    }
}
