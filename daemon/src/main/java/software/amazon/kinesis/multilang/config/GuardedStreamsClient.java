package software.amazon.kinesis.multilang.config;

import java.math.BigInteger;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamRequest;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamResponse;
import software.amazon.awssdk.services.dynamodb.model.ExpiredIteratorException;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorResponse;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.ShardIteratorType;
import software.amazon.awssdk.services.dynamodb.model.StreamDescription;
import software.amazon.awssdk.services.dynamodb.model.StreamStatus;
import software.amazon.awssdk.services.dynamodb.model.TrimmedDataAccessException;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsServiceClientConfiguration;

/**
 * The stream as the adapter may see it.
 *
 * <ul>
 *   <li>The adapter only takes ARNs of regions it knows, and emulators have words of their own there: it is given a name
 *       it takes, and every request goes out with the true ARN.
 *   <li>The adapter reads "stream or shard not found" as the end of the shard, and skips trimmed records. Either would
 *       be checkpointed as done. Here both end the daemon, loudly, when changes are really lost.
 *   <li>A stream that can't be read for a while is retried by KCL without a word for the operator; here it is said.
 * </ul>
 */
final class GuardedStreamsClient implements DynamoDbStreamsClient {
    static final String REMEDY = "Nothing past the checkpoint is applied. Delete the checkpoint "
            + "table, copy the table again, then start. Items deleted at the source meanwhile stay at the destination until "
            + "verify --repair --deleteExtra, once the replication has caught up.";

    /** An open shard is never at its end, so its empty pages must be; DynamoDB gives few in a row. */
    private static final int MAX_EMPTY_PAGES = 50;

    private static final AtomicBoolean ENDING = new AtomicBoolean();

    private final DynamoDbStreamsClient stream;
    private final String trueArn;
    private final Outage outage = new Outage("stream_unreadable", "The source's stream can't be read",
            "Nothing is lost while its records last (24 hours); it is tried until it can be read.",
            "The source's stream can be read again");
    private final AtomicBoolean warnedOfEnd = new AtomicBoolean();

    GuardedStreamsClient(DynamoDbStreamsClient stream, String trueArn) {
        this.stream = stream;
        this.trueArn = trueArn;
    }

    @Override
    public DescribeStreamResponse describeStream(DescribeStreamRequest request) {
        return stream.describeStream(request.toBuilder().streamArn(trueArn).build());
    }

    /** The stream's description page by page, at least one; each is asked for when it is come to. */
    Stream<StreamDescription> description() {
        return Stream.iterate(page(null), Objects::nonNull, page ->
                page.lastEvaluatedShardId() == null ? null : page(page.lastEvaluatedShardId()));
    }

    private StreamDescription page(String after) {
        return describeStream(r -> r.exclusiveStartShardId(after)).streamDescription();
    }

    @Override
    public GetShardIteratorResponse getShardIterator(GetShardIteratorRequest request) {
        GetShardIteratorRequest named = request.toBuilder().streamArn(trueArn).build();
        try {
            GetShardIteratorResponse response = stream.getShardIterator(named);
            outage.succeeded();
            return response;
        } catch (TrimmedDataAccessException e) {
            if (named.sequenceNumber() == null) {
                throw e;
            }
            return fromOldest(named);
        } catch (ResourceNotFoundException e) {
            throw gone(e, "shard " + named.shardId());
        } catch (RuntimeException e) {
            outage.failed(e);
            throw e;
        }
    }

    @Override
    public GetRecordsResponse getRecords(GetRecordsRequest request) {
        try {
            GetRecordsResponse response = stream.getRecords(request);
            outage.succeeded();
            if (response.nextShardIterator() == null) {
                warnIfDisabled();
            }
            return response;
        } catch (ResourceNotFoundException e) {
            throw gone(e, "a shard being read");
        } catch (ExpiredIteratorException e) {
            throw e; // KCL asks for a new iterator
        } catch (TrimmedDataAccessException e) {
            // KCL would read on with this iterator for ever. Asked for a new one, getShardIterator tells what is lost.
            throw ExpiredIteratorException.builder().message(e.getMessage())
                    .awsErrorDetails(e.awsErrorDetails()).statusCode(e.statusCode()).build();
        } catch (RuntimeException e) {
            outage.failed(e);
            throw e;
        }
    }

    /**
     * An iterator at the shard's oldest record, where that loses nothing. DynamoDB Local says "trimmed" of some shards
     * in which nothing was: it is true only where the checkpoint lies before the oldest record still there.
     */
    private GetShardIteratorResponse fromOldest(GetShardIteratorRequest refused) {
        GetShardIteratorResponse oldest = stream.getShardIterator(refused.toBuilder()
                .shardIteratorType(ShardIteratorType.TRIM_HORIZON).sequenceNumber(null).build());
        String sequenceNumber = oldestSequenceNumber(refused.shardId(), oldest.shardIterator());
        if (sequenceNumber != null
                && new BigInteger(sequenceNumber).compareTo(new BigInteger(refused.sequenceNumber())) > 0) {
            throw lost("changes_lost", "Shard " + refused.shardId() + ": the changes after checkpoint " + refused.sequenceNumber()
                    + " are past the stream's 24 hours; what follows begins at " + sequenceNumber
                    + ". Those in between are lost. " + REMEDY);
        }
        return oldest;
    }

    /**
     * The shard's oldest record; where a closed shard has none left, the last it ever had; null for an open shard without
     * records, which is younger than its stream's 24 hours. A page may be empty though records follow.
     */
    private String oldestSequenceNumber(String shardId, String iterator) {
        for (int page = 0; page < MAX_EMPTY_PAGES && iterator != null; page++) {
            String from = iterator;
            GetRecordsResponse response = stream.getRecords(r -> r.shardIterator(from).limit(1));
            if (!response.records().isEmpty()) {
                return response.records().get(0).dynamodb().sequenceNumber();
            }
            iterator = response.nextShardIterator();
        }
        return iterator != null ? null : endingSequenceNumber(shardId);
    }

    private String endingSequenceNumber(String shardId) {
        return description()
                .flatMap(page -> page.shards().stream())
                .filter(shard -> shard.shardId().equals(shardId))
                .findFirst()
                .map(shard -> shard.sequenceNumberRange().endingSequenceNumber())
                .orElse(null);
    }

    /** A shard that ends has children, unless the stream ends with it; KCL would then wait for work for ever. */
    private void warnIfDisabled() {
        boolean disabled = stream.describeStream(r -> r.streamArn(trueArn)).streamDescription().streamStatus()
                == StreamStatus.DISABLED;
        if (disabled && warnedOfEnd.compareAndSet(false, true)) {
            Event.error("stream_disabled").with("stream", trueArn)
                    .note("The stream is disabled: the table was deleted, or its stream was turned off. What it holds is "
                            + "still replicated; nothing that changes from now on is. If that is not what you want, turn "
                            + "the stream on again, delete the checkpoint table, copy the table, then start anew, and "
                            + "verify --repair --deleteExtra in the end (it deletes all that the source does not have).");
        }
    }

    /** Ends the process: every change that the disabled stream holds is applied, and there will be no other. */
    RuntimeException finished() {
        return lost("stream_finished", "Stream " + trueArn + " is disabled and all that it held is applied: nothing is replicated from now "
                + "on. Where the table's stream was turned on again, changes in between are in neither stream. "
                + "If it is to go on, delete the checkpoint table, copy the table again, then start, and verify "
                + "--repair in the end.");
    }

    private RuntimeException gone(ResourceNotFoundException cause, String what) {
        try {
            stream.describeStream(r -> r.streamArn(trueArn));
        } catch (ResourceNotFoundException e) {
            return lost("changes_lost", "Stream " + trueArn + " no longer exists: the table was deleted, or its stream was turned off "
                    + "more than a day ago. Changes not yet read are lost. " + REMEDY);
        }
        return lost("changes_lost", "Stream " + trueArn + " no longer has " + what + ": its records are past the stream's 24 hours. "
                + "Changes after its checkpoint are lost. " + REMEDY);
    }

    /** Ends the process: an exception alone would be retried, or read as a shard's end, by the adapter. */
    static RuntimeException lost(String event, String message) {
        if (ENDING.compareAndSet(false, true)) { // KCL tries again until the process has ended
            Event.error(event).note(message);
            // Not from this thread: exit waits for the shutdown hook, which waits for shards, which may wait for us.
            new Thread(() -> System.exit(DynamoDBStreamsMultiLangDaemon.EIO), "data-lost").start();
        }
        return new IllegalStateException(message);
    }

    @Override
    public DynamoDbStreamsServiceClientConfiguration serviceClientConfiguration() {
        return stream.serviceClientConfiguration();
    }

    @Override
    public String serviceName() {
        return stream.serviceName();
    }

    @Override
    public void close() {
        stream.close();
    }
}
