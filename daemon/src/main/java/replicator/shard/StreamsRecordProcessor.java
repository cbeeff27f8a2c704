package software.amazon.kinesis.multilang.config;

import com.amazonaws.services.dynamodbv2.streamsadapter.model.DynamoDBStreamsProcessRecordsInput;
import com.amazonaws.services.dynamodbv2.streamsadapter.processor.DynamoDBStreamsShardRecordProcessor;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import software.amazon.kinesis.checkpoint.ShardRecordProcessorCheckpointer;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/**
 * KCL's processor of one shard's child process, under the type that the adapter's scheduler insists on.
 *
 * <p>A child busy with a batch learns that its lease has gone only when the batch is done. Where the same daemon gets the
 * lease back meanwhile, KCL starts a second child, and the first one's old images could land on the second one's newer.
 * So a shard begins only when nothing of it is under way in this daemon, and when the term of a living owner that it was
 * taken from is over; KCL tries again until then.
 */
final class StreamsRecordProcessor implements DynamoDBStreamsShardRecordProcessor {
    private static final Set<String> BUSY = ConcurrentHashMap.newKeySet();
    private static final Map<String, StreamsRecordProcessor> STARTED = new ConcurrentHashMap<>();

    private final ShardRecordProcessor child;
    private final Progress progress;
    private final Retention retention;
    private final LeaseTerms terms;
    private final Predicate<String> isHeld;
    private final MissingLeases missing;
    private final CopyGate copyGate;
    private final FirstStart firstStart;
    private String shardId;
    private ExtendedSequenceNumber applied;
    private boolean started;
    private boolean ended;

    /**
     * @param isHeld whether this daemon has a shard's lease
     * @param missing asked before the shard begins, and where its lease is lost
     * @param copyGate asked before each child is started
     * @param firstStart which records are not meant
     */
    StreamsRecordProcessor(
            ShardRecordProcessor child,
            Progress progress,
            Retention retention,
            LeaseTerms terms,
            Predicate<String> isHeld,
            MissingLeases missing,
            CopyGate copyGate,
            FirstStart firstStart) {
        this.child = child;
        this.progress = progress;
        this.retention = retention;
        this.terms = terms;
        this.isHeld = isHeld;
        this.missing = missing;
        this.copyGate = copyGate;
        this.firstStart = firstStart;
    }

    /** The shard can't be begun yet, and will be by itself. */
    static final class NotYet extends IllegalStateException {
        private static final long serialVersionUID = 1;

        private NotYet(String message) {
            super(message);
        }
    }

    /** Whether a child was started for the shard: the others never answer to a graceful shutdown. */
    static boolean isStarted(String shardId) {
        return STARTED.containsKey(shardId);
    }

    @Override
    public void initialize(InitializationInput input) {
        shardId = input.shardId();
        if (!isHeld.test(shardId)) { // KCL would try for ever, and come to the end of this consumer only afterwards
            return;
        }
        if (BUSY.contains(shardId)) {
            throw new NotYet("a batch of " + shardId + ", begun under an earlier lease, is still under way");
        }
        long wait = terms.waitNanos(shardId);
        if (wait > 0) {
            throw new NotYet("the last owner of " + shardId + " may write for " + wait / 1_000_000 + " ms");
        }
        copyGate.check();
        missing.checkParents(shardId, input.extendedSequenceNumber());
        applied = input.extendedSequenceNumber();
        child.initialize(input);
        started = true;
        STARTED.put(shardId, this);
    }

    @Override
    public void processRecords(ProcessRecordsInput given) {
        if (!started) {
            return;
        }
        ProcessRecordsInput input = firstStart.since(given);
        if (input.records().isEmpty() && !given.records().isEmpty()) {
            return;
        }
        try { // KCL passes over a batch for which an exception leaves this method; a child's end ends the process first
            BUSY.add(shardId);
            Instant oldest = input.records().isEmpty() ? null : input.records().get(0).approximateArrivalTimestamp();
            if (oldest != null) {
                retention.begin(shardId, oldest);
            }
            child.processRecords(batch(input));
        } finally {
            retention.end(shardId);
            BUSY.remove(shardId);
        }
        progress.add(input.records());
        applied = ((ShardRecordProcessorCheckpointer) input.checkpointer()).lastCheckpointValue();
    }

    private static ProcessRecordsInput batch(ProcessRecordsInput input) {
        if (input.records().isEmpty()) {
            return input;
        }
        try {
            return input.toBuilder().records(List.of(Page.joined(input.records()))).build();
        } catch (RuntimeException e) {
            throw GuardedStreamsClient.lost("batch_failed", "BUG: a batch could not be handed to its child (" + e
                    + "). No checkpoint passes it: a restart meets it again. Please report it.");
        }
    }

    @Override
    public void processRecords(DynamoDBStreamsProcessRecordsInput input) {
        throw new UnsupportedOperationException("BUG: KCL calls the method above, which hands records on as they came");
    }

    /** KCL says the same where another daemon has the lease now, and where somebody removed its row. */
    @Override
    public void leaseLost(LeaseLostInput input) {
        if (!started) { // there is no child to tell; KCL would try that again and again, and stop for nothing else
            return;
        }
        STARTED.remove(shardId, this);
        child.leaseLost(input);
        if (!ended) {
            missing.restore(shardId, applied);
        }
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
        ended = true;
        STARTED.remove(shardId, this);
        child.shardEnded(input);
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
        if (started) {
            child.shutdownRequested(input);
        }
    }
}
