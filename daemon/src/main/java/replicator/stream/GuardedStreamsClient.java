package replicator.stream;

import java.util.Optional;
import replicator.aws.DelegatingStreamsClient;
import replicator.log.Outage;
import replicator.process.Exit;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.interceptor.ExecutionAttribute;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamRequest;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamResponse;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbException;
import software.amazon.awssdk.services.dynamodb.model.ExpiredIteratorException;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorResponse;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.ShardIteratorType;
import software.amazon.awssdk.services.dynamodb.model.TrimmedDataAccessException;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/**
 * The stream's client that the adapter gets, which hides from it what it would misread.
 *
 * <ul>
 *   <li>The adapter only takes ARNs of regions it knows, and emulators have words of their own there: it is given a name
 *       it takes, and every request goes out with the true ARN.
 *   <li>The adapter reads "not found", and an answer that lacks a part, as the end of a shard or as a stream without
 *       shards, and skips trimmed records. Each would be checkpointed as done. Here none of them is believed at once
 *       ({@link Absence}), and a shard of which changes are really lost is held ({@link Losses}).
 *   <li>KCL retries a stream that can't be read without telling the operator; here it is logged, and by another name where
 *       others read it, too ({@link TooManyReaders}).
 * </ul>
 */
public final class GuardedStreamsClient extends DelegatingStreamsClient {
    /** A read that carries it is known by its shard where it fails. */
    public static final ExecutionAttribute<String> SHARD = new ExecutionAttribute<>("ReplicatorShard");

    /** The adapter takes an answer without an iterator for the end of the shard. */
    private static final GetShardIteratorResponse ENDED = GetShardIteratorResponse.builder().build();

    private final String trueArn;
    private final StreamListings listings;
    private final Absence absence;
    private final TrimmedShard trimmed;
    private final Losses losses;
    private final Exit exit;
    private final Outage outage = new Outage("stream_unreadable", "The source's stream can't be read",
            "Nothing is lost while its records last (24 hours); it is tried until it can be read.",
            "The source's stream can be read again");
    private final TooManyReaders readers = new TooManyReaders(System::nanoTime);
    private final OverdueReads overdue = new OverdueReads(outage::failed);

    GuardedStreamsClient(
            DynamoDbStreamsClient stream, String trueArn, StreamListings listings, Absence absence, Losses losses,
            Exit exit) {
        super(stream);
        this.trueArn = trueArn;
        this.listings = listings;
        this.absence = absence;
        this.losses = losses;
        this.exit = exit;
        this.trimmed = new TrimmedShard(stream, listings);
    }

    /** Throws what the adapter tries again, where the answer is no listing. */
    @Override
    public DescribeStreamResponse describeStream(DescribeStreamRequest request) {
        try {
            DescribeStreamResponse response =
                    stream.describeStream(request.toBuilder().streamArn(trueArn).build());
            StreamListing.whole(request, response);
            return response;
        } catch (ResourceNotFoundException e) { // which the adapter would read as a stream without shards
            throw new IllegalStateException("DescribeStream: stream " + trueArn + " was not found", e);
        }
    }

    /**
     * All shards. What keeps them from being listed is said.
     *
     * @throws RuntimeException if they can't be listed
     */
    StreamListing listing() {
        try {
            return listings.look();
        } catch (RuntimeException e) {
            failed("DescribeStream", null, e, System.currentTimeMillis());
            throw e;
        }
    }

    /** Says it: that others read the stream, too, where that is the reason, else that it can't be read. */
    private void failed(String operation, String shardId, RuntimeException error, long begunMillis) {
        if (TooManyReaders.isMeant(error)) {
            readers.refused(operation, shardId, error);
        } else {
            outage.failed(error, begunMillis);
        }
    }

    @Override
    public GetShardIteratorResponse getShardIterator(GetShardIteratorRequest request) {
        GetShardIteratorRequest named = request.toBuilder().streamArn(trueArn).build();
        long begun = System.currentTimeMillis();
        try {
            GetShardIteratorResponse response = iterator(named); // no end of an outage: it is to be read with first
            losses.forget(named.shardId());
            return response;
        } catch (TrimmedDataAccessException e) {
            if (named.sequenceNumber() == null) {
                throw e;
            }
            return fromOldest(named);
        } catch (ResourceNotFoundException e) {
            return notFound(named, e);
        } catch (RuntimeException e) {
            failed("GetShardIterator", named.shardId(), e, begun);
            throw e;
        }
    }

    private GetShardIteratorResponse iterator(GetShardIteratorRequest named) {
        GetShardIteratorResponse response = stream.getShardIterator(named);
        if (response.shardIterator() == null || response.shardIterator().isEmpty()) {
            throw new IllegalStateException("GetShardIterator: the answer is not whole: it has no ShardIterator");
        }
        return response;
    }

    @Override
    public GetRecordsResponse getRecords(GetRecordsRequest request) {
        long begun = System.currentTimeMillis();
        try {
            GetRecordsResponse response = overdue.watched(() -> stream.getRecords(request));
            outage.succeeded();
            readers.answered();
            return response;
        } catch (ResourceNotFoundException e) {
            outage.failed(e, begun);
            throw asExpired(e); // asked for a new iterator, getShardIterator looks whether the shard is gone
        } catch (ExpiredIteratorException e) {
            outage.suspected(e);
            throw e; // KCL asks for a new iterator
        } catch (TrimmedDataAccessException e) {
            outage.suspected(e);
            // KCL would read on with this iterator for ever. Asked for a new one, getShardIterator tells what is lost.
            throw asExpired(e);
        } catch (DynamoDbException e) {
            failed("GetRecords", request.overrideConfiguration()
                    .map(each -> each.executionAttributes().getAttribute(SHARD)).orElse(null), e, begun);
            // KCL would read on with an iterator that the stream does not know as one of its own, for ever.
            throw "ValidationException".equals(Outage.code(e)) ? asExpired(e) : e;
        } catch (RuntimeException e) {
            outage.failed(e, begun);
            throw e;
        }
    }

    private static ExpiredIteratorException asExpired(DynamoDbException e) {
        return ExpiredIteratorException.builder().message(e.getMessage())
                .awsErrorDetails(e.awsErrorDetails()).statusCode(e.statusCode()).build();
    }

    /** An iterator at the shard's oldest record, where that loses nothing that a copy has not made good. */
    private GetShardIteratorResponse fromOldest(GetShardIteratorRequest refused) {
        GetShardIteratorResponse oldest = iterator(refused.toBuilder()
                .shardIteratorType(ShardIteratorType.TRIM_HORIZON).sequenceNumber(null).build());
        Optional<String> loss = trimmed.loss(refused.shardId(), refused.sequenceNumber(), oldest.shardIterator());
        loss.ifPresentOrElse(what -> losses.hold(refused.shardId(), refused.sequenceNumber(), what),
                () -> losses.forget(refused.shardId()));
        return oldest;
    }

    /** The shard's end, where it is gone and a copy has made that good; else throws what KCL tries again. */
    private GetShardIteratorResponse notFound(GetShardIteratorRequest named, ResourceNotFoundException cause) {
        try {
            if (!absence.isGone(named.shardId())) {
                outage.failed(cause);
                throw new IllegalStateException("Shard " + named.shardId() + " was not found; it is looked for again");
            }
        } catch (ResourceNotFoundException e) {
            outage.failed(e);
            endIfStreamIsGone();
            throw new IllegalStateException("Stream " + trueArn + " was not found; it is looked for again");
        } catch (SdkException e) {
            failed("DescribeStream", named.shardId(), e, System.currentTimeMillis());
            throw e;
        }
        String checkpoint = named.sequenceNumber() == null
                ? named.shardIteratorTypeAsString() : named.sequenceNumber();
        losses.hold(named.shardId(), checkpoint, "Shard " + named.shardId() + " is no longer in the stream: its records are "
                + "past the stream's 24 hours. Changes after its checkpoint are lost.");
        return ENDED;
    }

    /** Ends the process where looks that agree, some seconds apart, find that the stream no longer exists. */
    public void endIfStreamIsGone() {
        boolean isGone;
        try {
            isGone = absence.streamIsGone();
        } catch (RuntimeException e) { // the table can't be asked: nothing is known, and nothing is lost by waiting
            outage.failed(e);
            return;
        }
        if (isGone) {
            throw exit.fail("changes_lost", "Stream " + trueArn + " no longer exists: the table was deleted, or its stream was "
                    + "turned off more than a day ago. Changes not yet read are lost, and nothing is replicated from now on. Delete "
                    + "the checkpoint table, copy the table again, then start. Items deleted at the source meanwhile stay at "
                    + "the destination until verify --repair --deleteExtra, once the replication has caught up.");
        }
    }

    /** Ends the process: every change that the disabled stream holds is applied, and there will be no other. */
    public IllegalStateException finished() {
        return exit.fail("stream_finished", "Stream " + trueArn + " is disabled and all that it held is applied: nothing is "
                + "replicated from now on. Where the table's stream was turned on again, changes in between are in neither stream. "
                + "If it is to go on, delete the checkpoint table, copy the table again, then start, and verify "
                + "--repair --deleteExtra in the end.");
    }

    /** From now on, a read that takes long is said while it does. */
    void watchReads() {
        overdue.start();
    }
}
