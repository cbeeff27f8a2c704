package replicator.page;

import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.DynamoDBStreamsDataFetcher;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import replicator.process.DispatchTurns;
import replicator.stream.GuardedStreamsClient;
import replicator.stream.ShardEnd;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.kinesis.model.ChildShard;
import software.amazon.kinesis.checkpoint.SentinelCheckpoint;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.retrieval.DataFetcherProviderConfig;
import software.amazon.kinesis.retrieval.DataFetcherResult;
import software.amazon.kinesis.retrieval.GetRecordsResponseAdapter;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * Reads one shard as the adapter does, with two differences: records stay the bytes that came, and one answer alone is not
 * enough to believe that the shard is at its end ({@link ShardEnd}).
 *
 * <p>In a backlog it reads on until a batch is worth a destination's round trip: a batch ends when its last call is
 * answered, so with small items a page alone would be many times faster sent than answered by a destination far away.
 */
public final class PageFetcher extends DynamoDBStreamsDataFetcher {
    /** The most records of a page (Streams API reference, GetRecords). With a smaller batchSize no pages are joined. */
    private static final int MAX_RECORDS = 1000;

    /** The most bytes of changes in a page (the same reference), and about the most bytes of a batch. */
    private static final int ENOUGH_BYTES = 1024 * 1024;

    /**
     * With more shards behind than that, pages are not joined: there is always a shard whose batch isn't waiting for an answer,
     * and each joined batch takes memory.
     */
    private static final int FEW_BEHIND = 2;

    /** Reading on ends after half a second: the records in hand wait for a stream that is slow. */
    private static final long YOUNG_NANOS = 500_000_000;

    /** Empty pages are read on for ten seconds: KCL begins a shard's reading anew after a minute without any page. */
    private static final long QUIET_NANOS = 10_000_000_000L;

    private final AmazonDynamoDBStreamsAdapterClient adapter;
    private final ShardEnd end;
    private final Runnable pauseIfHeld;
    private final Backlog backlog;
    private final DispatchTurns turns;
    private final Pace pace;
    private final String shardId;
    private volatile boolean behind;
    private volatile boolean wentOn;

    /**
     * @param end of the shard, looked at where a page has no next iterator
     * @param pauseIfHeld rests for a moment where changes of the shard are lost, and it waits
     * @param backlog of the task's shards
     * @param turns told of the shard's end
     * @param idleMillis between reads while the shard is written
     * @param idleMaxMillis between reads when it has long not been written
     */
    public PageFetcher(
            AmazonDynamoDBStreamsAdapterClient adapter,
            DataFetcherProviderConfig config,
            ShardEnd end,
            Runnable pauseIfHeld,
            Backlog backlog,
            DispatchTurns turns,
            long idleMillis,
            long idleMaxMillis) {
        super(adapter, config);
        this.adapter = adapter;
        this.end = end;
        this.pauseIfHeld = pauseIfHeld;
        this.backlog = backlog;
        this.turns = turns;
        this.shardId = config.getShardId();
        this.pace = new Pace(idleMillis, idleMaxMillis, System::nanoTime);
    }

    /** How long the shard rests between two reads. */
    Pace pace() {
        return pace;
    }

    /**
     * A lease that has no checkpoint yet may say LATEST or AT_TIMESTAMP, of an earlier version or the original: what was
     * written since it was made would be jumped over. {@code FirstStart} sees to what is not meant.
     */
    @Override
    public void advanceIteratorTo(String sequenceNumber, InitialPositionInStreamExtended initialPosition) {
        pauseIfHeld.run();
        boolean isNoPlace = sequenceNumber.equals(SentinelCheckpoint.LATEST.toString())
                || sequenceNumber.equals(SentinelCheckpoint.AT_TIMESTAMP.toString());
        super.advanceIteratorTo(isNoPlace ? SentinelCheckpoint.TRIM_HORIZON.toString() : sequenceNumber, initialPosition);
    }

    /** KCL may go back to before a batch that ended the shard; the adapter goes on to say that it is at the end. */
    @Override
    public boolean isShardEndReached() {
        return super.isShardEndReached() && !wentOn;
    }

    @Override
    public DataFetcherResult getRecords() {
        wentOn = false;
        return super.getRecords();
    }

    /**
     * Reads on, at the shard's pace, while there is nothing to read: KCL would hand each empty page through a queue and two
     * more threads, and make a task of it that finds that nothing is to be done.
     */
    @Override
    public GetRecordsResponseAdapter ddbGetRecords(String iterator) {
        long began = System.nanoTime();
        GetRecordsResponseAdapter page = super.ddbGetRecords(iterator);
        while (page.records().isEmpty() && page.nextShardIterator() != null && mayReadOn(began)) {
            try {
                Thread.sleep(pace.restMillis());
                page = super.ddbGetRecords(page.nextShardIterator());
            } catch (InterruptedException e) { // the shard is given up
                Thread.currentThread().interrupt();
                return page;
            } catch (RuntimeException e) {
                return page; // it is said already (GuardedStreamsClient), and KCL's next read meets it again
            }
        }
        return page;
    }

    /** Whether the next rest still ends within the time for which KCL may hear nothing; it rests once more itself. */
    private boolean mayReadOn(long beganNanos) {
        return System.nanoTime() - beganNanos + TimeUnit.MILLISECONDS.toNanos(pace.restMillis()) < QUIET_NANOS;
    }

    @Override
    public GetRecordsResponseAdapter getGetRecordsResponse(GetRecordsRequest request)
            throws ExecutionException, InterruptedException, TimeoutException {
        long began = System.nanoTime();
        Batch batch = new Batch();
        batch.add(request);
        while (behind && request.limit() == MAX_RECORDS && batch.bytes < ENOUGH_BYTES
                && System.nanoTime() - began < YOUNG_NANOS && backlog.shards() <= FEW_BEHIND) {
            try {
                batch.add(request.toBuilder().shardIterator(batch.nextShardIterator()).build());
            } catch (RuntimeException | ExecutionException e) {
                break; // it is said already (GuardedStreamsClient), and KCL's next read meets it again
            }
        }
        wentOn = batch.nextShardIterator() != null;
        return batch;
    }

    private GetRecordsResponseAdapter read(GetRecordsRequest request, AtomicReference<Page> page)
            throws ExecutionException, InterruptedException, TimeoutException {
        AwsRequestOverrideConfiguration.Builder override = request.overrideConfiguration()
                .map(AwsRequestOverrideConfiguration::toBuilder).orElseGet(AwsRequestOverrideConfiguration::builder);
        return adapter.getDynamoDBStreamsRecords(request.toBuilder()
                .overrideConfiguration(override.putExecutionAttribute(PageInterceptor.PAGE, page)
                        .putExecutionAttribute(PageInterceptor.FRESH_NANOS, pace.freshNanos())
                        .putExecutionAttribute(GuardedStreamsClient.SHARD, shardId).build()).build()).get();
    }

    /** The records of one page or more, and all else of the last. */
    private final class Batch implements GetRecordsResponseAdapter {
        private final List<KinesisClientRecord> records = new ArrayList<>();
        private int bytes;
        private GetRecordsResponseAdapter last;
        private String next;
        private List<ChildShard> children = List.of();

        /** Adds a page, or throws and leaves the batch as it was. */
        void add(GetRecordsRequest request) throws ExecutionException, InterruptedException, TimeoutException {
            AtomicReference<Page> page = new AtomicReference<>();
            GetRecordsResponseAdapter rest = read(request, page);
            Page found = page.get();
            String following = rest.nextShardIterator();
            if (following == null) {
                following = following(found.records(), request.shardIterator());
            } else {
                end.wentOn();
            }
            records.addAll(found.records());
            bytes += found.bytes();
            last = rest;
            next = following;
            behind = found.isFull(request.limit(), ENOUGH_BYTES / 2) && next != null;
            backlog.note(PageFetcher.this, behind);
            pace.read(found.records().size(), behind, found.ageNanos());
        }

        /** The page says that the shard is at its end: null where all else says so, too; else where to read on. */
        private String following(List<KinesisClientRecord> found, String asked) {
            List<KinesisClientRecord> read = found.isEmpty() ? records : found;
            String position = read.isEmpty() ? getLastKnownSequenceNumber() : read.get(read.size() - 1).sequenceNumber();
            Optional<List<ChildShard>> atEnd = end.childrenAtEnd(position);
            children = atEnd.orElse(List.of());
            if (atEnd.isPresent()) {
                turns.wake();
            }
            return atEnd.isPresent() ? null : end.readOnFrom(found.isEmpty() ? asked : null, position);
        }

        @Override
        public List<KinesisClientRecord> records() {
            return records;
        }

        /** As the adapter has it. */
        @Override
        public Long millisBehindLatest() {
            if (records.isEmpty()) {
                return null;
            }
            Instant created = records.get(records.size() - 1).approximateArrivalTimestamp();
            return Math.max(0, Duration.between(created, Instant.now()).toMillis());
        }

        @Override
        public List<ChildShard> childShards() {
            return children;
        }

        @Override
        public String nextShardIterator() {
            return next;
        }

        @Override
        public String requestId() {
            return last.requestId();
        }
    }
}
