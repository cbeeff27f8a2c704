package replicator.page;

import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import replicator.aws.DelegatingStreamsClient;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorResponse;
import software.amazon.awssdk.services.dynamodb.model.ShardIteratorType;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/**
 * The stream's client of one task among several, whose pages are shared with tasks that read the same stream
 * ({@link SharedReads}). All else is asked by each task itself: iterators, the shards, and what it looks at before it believes
 * in a shard's end or in a loss.
 */
public final class SharedPages extends DelegatingStreamsClient {
    private final SharedReader reader;
    private final int mostRecords;
    private final LongSupplier nanos;

    /**
     * @param stream the task's own client
     * @param identity equal for two tasks only where the stream answers both alike: its ARN, its endpoint, and as whom they read
     * @param mostRecords of a page that the task asks for; tasks that ask for other pages share none
     * @param mostBytes of pages that may be kept; of all tasks there are, the greatest number holds
     */
    public SharedPages(
            DynamoDbStreamsClient stream, SharedReads reads, Object identity, int mostRecords, long mostBytes) {
        this(stream, reads.reader(List.of(identity, mostRecords), mostBytes), mostRecords, System::nanoTime);
    }

    SharedPages(DynamoDbStreamsClient stream, SharedReader reader, int mostRecords, LongSupplier nanos) {
        super(stream);
        this.reader = reader;
        this.mostRecords = mostRecords;
        this.nanos = nanos;
    }

    @Override
    public GetShardIteratorResponse getShardIterator(GetShardIteratorRequest request) {
        GetShardIteratorResponse answer = stream.getShardIterator(request);
        String iterator = answer.shardIterator();
        if (iterator == null || iterator.isEmpty()) {
            return answer;
        }
        Position position = position(request);
        reader.willRead(position);
        return answer.toBuilder().shardIterator(position.in(iterator)).build();
    }

    private static Position position(GetShardIteratorRequest request) {
        if (request.shardIteratorType() == ShardIteratorType.TRIM_HORIZON) {
            return Position.after(request.shardId(), Position.OLDEST);
        }
        boolean isAfter = request.shardIteratorType() == ShardIteratorType.AFTER_SEQUENCE_NUMBER
                && request.sequenceNumber() != null && !request.sequenceNumber().isEmpty();
        return isAfter ? Position.after(request.shardId(), request.sequenceNumber()) : Position.unknown(request.shardId());
    }

    @Override
    public GetRecordsResponse getRecords(GetRecordsRequest request) {
        ExecutionAttributes attributes =
                request.overrideConfiguration().map(each -> each.executionAttributes()).orElse(null);
        AtomicReference<Page> wanted = attributes == null ? null : attributes.getAttribute(PageInterceptor.PAGE);
        Position position = Position.of(request.shardIterator()).orElse(null);
        GetRecordsRequest asked = request.toBuilder().shardIterator(Position.withoutPosition(request.shardIterator())).build();
        boolean isReading = wanted != null && position != null && asked.limit() != null && asked.limit() == mostRecords;
        if (!isReading) { // but a look at a place
            return stream.getRecords(asked);
        }
        Long fresh = attributes.getAttribute(PageInterceptor.FRESH_NANOS);
        SharedPage found = reader.read(position, fresh == null ? 0 : fresh, () -> own(asked, wanted));
        wanted.set(found.page());
        String next = found.rest().nextShardIterator();
        Position reached = found.isEmpty() ? position : Position.after(position.shardId(), found.last());
        return next == null ? found.rest() : found.rest().toBuilder().nextShardIterator(reached.in(next)).build();
    }

    private SharedPage own(GetRecordsRequest asked, AtomicReference<Page> page) {
        GetRecordsResponse rest = stream.getRecords(asked);
        return new SharedPage(page.get(), rest, nanos.getAsLong());
    }

    @Override
    public void close() {
        reader.close();
        super.close();
    }
}
