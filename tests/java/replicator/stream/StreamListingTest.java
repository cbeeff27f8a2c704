package replicator.stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import replicator.Answered;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** What is no whole listing is refused. */
class StreamListingTest {
    private static StreamListing listing(String... pages) {
        Answered http = new Answered();
        http.say(String.join("\n", pages).getBytes(java.nio.charset.StandardCharsets.UTF_8));
        return Listings.read(DynamoDbStreamsClient.builder()
                .region(Region.US_EAST_1).credentialsProvider(Answered.KEYS).httpClient(http).build());
    }

    private static String page(String last, String... shards) {
        return "{\"StreamDescription\":{\"StreamStatus\":\"ENABLED\",\"Shards\":[" + String.join(",", shards) + "]"
                + (last.isEmpty() ? "" : ",\"LastEvaluatedShardId\":\"" + last + "\"") + "}}";
    }

    private static String shard(String id, String parent) {
        return "{\"ShardId\":\"" + id + "\",\"ParentShardId\":\"" + parent
                + "\",\"SequenceNumberRange\":{\"StartingSequenceNumber\":\"1\"}}";
    }

    @Test
    void itsShardsComeAfterTheirParents() {
        StreamListing found = listing(page("b", shard("c", "b"), shard("b", "a")), page("", shard("a", "gone"), shard("d", "a")));
        List<String> ids = found.shards().stream().map(Shard::shardId).collect(Collectors.toList());
        assertEquals(List.of("a", "b", "d", "c"), ids);
        assertTrue(found.isOpen("c"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "b"})
    void noShardComesAfterItself(String parent) {
        String page = page("", shard("a", parent), shard("b", "a"), shard("c", "gone"));
        assertThrows(IllegalStateException.class, () -> listing(page));
    }

    @Test
    void norByTwoPages() {
        assertThrows(IllegalStateException.class, () -> listing(page("a", shard("a", "b")), page("", shard("b", "a"))));
    }

    @Test
    void itsPagesEnd() {
        assertThrows(IllegalStateException.class, () -> listing(page("a", shard("a", "x")), page("b", shard("b", "x"))));
    }
}
