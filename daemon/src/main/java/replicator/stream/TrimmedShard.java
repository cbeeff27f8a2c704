package replicator.stream;

import java.math.BigInteger;
import java.util.Optional;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/**
 * Finds out what is lost when DynamoDB says that a shard was trimmed after its checkpoint. DynamoDB Local says so of some shards
 * that lost nothing; it is true only if the checkpoint is before the oldest record that is left.
 */
final class TrimmedShard {
    /** An open shard is never at its end, so its empty pages must be; DynamoDB gives few in a row. */
    private static final int MAX_EMPTY_PAGES = 50;

    private final DynamoDbStreamsClient stream;
    private final StreamListings listings;

    TrimmedShard(DynamoDbStreamsClient stream, StreamListings listings) {
        this.stream = stream;
        this.listings = listings;
    }

    /**
     * What is lost of a shard, as a sentence; empty where nothing is.
     *
     * @param checkpoint a sequence number
     * @param iterator at the shard's oldest record
     */
    Optional<String> loss(String shardId, String checkpoint, String iterator) {
        String oldest = oldestSequenceNumber(shardId, iterator);
        if (oldest == null || new BigInteger(oldest).compareTo(new BigInteger(checkpoint)) <= 0) {
            return Optional.empty();
        }
        return Optional.of("Shard " + shardId + ": the changes after checkpoint " + checkpoint
                + " are past the stream's 24 hours; what follows begins at " + oldest + ". Those in between are lost.");
    }

    /**
     * The shard's oldest record; where a closed shard has none left, the last it ever had; null for an open shard without
     * records, which is younger than its stream's 24 hours. A page may be empty though records follow.
     */
    private String oldestSequenceNumber(String shardId, String iterator) {
        String from = iterator;
        for (int page = 0; page < MAX_EMPTY_PAGES && from != null; page++) {
            String next = from;
            GetRecordsResponse response = stream.getRecords(r -> r.shardIterator(next).limit(1));
            if (!response.hasRecords()) {
                throw new IllegalStateException("GetRecords: the answer is not whole: it has no Records");
            }
            if (!response.records().isEmpty()) {
                return response.records().get(0).dynamodb().sequenceNumber();
            }
            from = response.nextShardIterator();
        }
        return from != null ? null : listings.look().endingSequenceNumber(shardId);
    }
}
