package replicator.stream;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamRequest;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamResponse;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.awssdk.services.dynamodb.model.StreamDescription;
import software.amazon.awssdk.services.dynamodb.model.StreamStatus;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** All shards of the stream, from whole answers to DescribeStream. An incomplete answer is refused. */
public final class StreamListing {
    /** Some times those of the largest tables, in a day; more would fill the memory. */
    private static final int MAX_SHARDS = 500_000;

    private final StreamStatus status;
    private final Map<String, Shard> shards;
    private final Map<String, Set<String>> children = new HashMap<>();
    private final List<Shard> oldestFirst;

    private StreamListing(StreamStatus status, Map<String, Shard> shards) {
        this.status = status;
        this.shards = shards;
        shards.values().stream().filter(shard -> shard.parentShardId() != null).forEach(shard ->
                children.computeIfAbsent(shard.parentShardId(), id -> new TreeSet<>()).add(shard.shardId()));
        oldestFirst = oldestFirst();
    }

    /** Refuses shards that come after themselves: whoever goes from parent to parent would do so without end. */
    private List<Shard> oldestFirst() {
        List<Shard> sorted = new ArrayList<>(shards.size());
        shards.values().stream().filter(shard -> !has(shard.parentShardId())).forEach(sorted::add);
        for (int i = 0; i < sorted.size(); i++) {
            childrenOf(sorted.get(i).shardId()).forEach(child -> sorted.add(shards.get(child)));
        }
        if (sorted.size() < shards.size()) {
            throw incomplete("a shard of it comes after itself");
        }
        return sorted;
    }

    /**
     * Asks for every page.
     *
     * @throws IllegalStateException if an answer lacks a part
     */
    static StreamListing read(DynamoDbStreamsClient stream, String arn) {
        Map<String, Shard> found = new LinkedHashMap<>();
        Set<String> pages = new HashSet<>();
        String after = null;
        while (true) {
            DescribeStreamRequest request =
                    DescribeStreamRequest.builder().streamArn(arn).exclusiveStartShardId(after).build();
            StreamDescription page = whole(request, stream.describeStream(request));
            found.putAll(byId(page));
            after = page.lastEvaluatedShardId();
            if (after == null) {
                return new StreamListing(page.streamStatus(), found);
            }
            if (!pages.add(after) || found.size() > MAX_SHARDS) {
                throw incomplete("its pages don't end");
            }
        }
    }

    /**
     * The description in an answer that lists shards.
     *
     * @throws IllegalStateException if it lacks a part, or if there should be shards on it and are none
     */
    static StreamDescription whole(DescribeStreamRequest request, DescribeStreamResponse response) {
        StreamDescription page = response.streamDescription();
        if (page == null || page.streamStatus() == null || !page.hasShards()) {
            throw incomplete("it has no StreamStatus or no Shards");
        }
        boolean isOfAll = request.exclusiveStartShardId() == null && request.shardFilter() == null;
        if (isOfAll && page.shards().isEmpty() && page.streamStatus() == StreamStatus.ENABLED) {
            throw incomplete("an enabled stream always has a shard, and none is listed");
        }
        for (Shard shard : page.shards()) {
            if (shard.shardId() == null || shard.sequenceNumberRange() == null
                    || shard.sequenceNumberRange().startingSequenceNumber() == null) {
                throw incomplete("a shard lacks its ShardId or its SequenceNumberRange");
            }
        }
        new StreamListing(page.streamStatus(), byId(page)); // as the adapter goes from parent to parent too
        return page;
    }

    private static Map<String, Shard> byId(StreamDescription page) {
        Map<String, Shard> found = new LinkedHashMap<>();
        page.shards().forEach(shard -> found.put(shard.shardId(), shard));
        return found;
    }

    private static IllegalStateException incomplete(String why) {
        return new IllegalStateException("DescribeStream: the answer is not whole: " + why);
    }

    public boolean has(String shardId) {
        return shards.containsKey(shardId);
    }

    /** Null where the stream does not list it. */
    public Shard shard(String shardId) {
        return shards.get(shardId);
    }

    /** Each after its parent. */
    public List<Shard> shards() {
        return oldestFirst;
    }

    public boolean isDisabled() {
        return status == StreamStatus.DISABLED;
    }

    /** Whether it takes records: it has no last sequence number and no child. */
    public boolean isOpen(String shardId) {
        return has(shardId) && endingSequenceNumber(shardId) == null && childrenOf(shardId).isEmpty();
    }

    /** Null for an open shard, and for one that is not listed. */
    String endingSequenceNumber(String shardId) {
        return has(shardId) ? shards.get(shardId).sequenceNumberRange().endingSequenceNumber() : null;
    }

    public Set<String> childrenOf(String shardId) {
        return children.getOrDefault(shardId, Set.of());
    }
}
