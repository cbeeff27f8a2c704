package replicator.shard;

import com.amazonaws.services.dynamodbv2.streamsadapter.model.DynamoDBStreamsProcessRecordsInput;
import com.amazonaws.services.dynamodbv2.streamsadapter.processor.DynamoDBStreamsShardRecordProcessor;
import java.util.List;
import java.util.function.Supplier;
import replicator.leases.RecordCounts;
import replicator.lineage.MissingLeases;
import replicator.page.Page;
import replicator.process.DispatchTurns;
import replicator.process.Exit;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * KCL's processor of one shard's child process, under the type that the adapter's scheduler insists on.
 *
 * <p>A child busy with a batch learns that its lease has gone only when the batch is done. Where the same daemon gets the
 * lease back meanwhile, KCL starts a second child, and the first one's old images could land on the second one's newer.
 * So a shard begins only when nothing of it is under way in this daemon, and when the term of a living owner that it was
 * taken from is over; KCL tries again until then.
 */
public final class StreamsRecordProcessor implements DynamoDBStreamsShardRecordProcessor {
    private final ShardRecordProcessor child;
    private final Children children;
    private final BeginGate gate;
    private final RecordCounts counts;
    private final MissingLeases missing;
    private final FirstStart firstStart;
    private final Progress progress;
    private final Retention retention;
    private final DispatchTurns turns;
    private final PendingCheckpoint pending;
    private final Exit exit;
    private String shardId;
    private boolean isAsked;
    private boolean started;
    private boolean ended;

    /**
     * @param children those of the task
     * @param gate asked before the child is started
     * @param counts told that the child is about to start
     * @param missing asked where the shard's lease is lost
     * @param firstStart which records are not meant
     * @param turns told that the shard begins and ends, which takes several of them
     * @param checkpoints when the child is asked for a checkpoint that it has put off
     * @param exit taken where a batch can't be handed to the child
     */
    public StreamsRecordProcessor(
            ShardRecordProcessor child,
            Children children,
            BeginGate gate,
            RecordCounts counts,
            MissingLeases missing,
            FirstStart firstStart,
            Progress progress,
            Retention retention,
            DispatchTurns turns,
            CheckpointClock checkpoints,
            Exit exit) {
        this.child = child;
        this.children = children;
        this.gate = gate;
        this.counts = counts;
        this.missing = missing;
        this.firstStart = firstStart;
        this.progress = progress;
        this.retention = retention;
        this.turns = turns;
        this.pending = new PendingCheckpoint(child, checkpoints);
        this.exit = exit;
        turns.begins(this);
    }

    @Override
    public void initialize(InitializationInput input) {
        shardId = input.shardId();
        if (!isAsked) { // its parents are read; KCL tries again ten times a second where it may not begin yet
            isAsked = true;
            turns.begins(this);
        }
        if (!gate.mayBegin(shardId, input.extendedSequenceNumber())) {
            return;
        }
        counts.begin(shardId);
        pending.begin(input.extendedSequenceNumber());
        child.initialize(input);
        started = true;
        children.start(shardId, this);
        turns.begun(this);
    }

    @Override
    public void processRecords(ProcessRecordsInput given) {
        if (!started) {
            return;
        }
        ProcessRecordsInput input = prepared(() -> firstStart.since(given, !pending.isPending()));
        if (input.records().isEmpty() && !given.records().isEmpty()) {
            return;
        }
        try {
            children.beginBatch(shardId);
            pending.process(prepared(() -> begun(input)));
        } finally {
            retention.end(shardId);
            children.endBatch(shardId);
            if (given.isAtShardEnd()) {
                turns.wake();
            }
        }
        progress.add(input.records());
    }

    private ProcessRecordsInput begun(ProcessRecordsInput input) {
        List<KinesisClientRecord> records = input.records();
        if (records.isEmpty()) {
            return input;
        }
        retention.begin(shardId, records.get(0).approximateArrivalTimestamp());
        return input.toBuilder().records(List.of(Page.joined(records))).build();
    }

    /** KCL passes over a batch for which an exception leaves this object; a child's end ends the process first. */
    private ProcessRecordsInput prepared(Supplier<ProcessRecordsInput> step) {
        try {
            return step.get();
        } catch (RuntimeException e) {
            throw exit.fail("batch_failed", "BUG: a batch could not be handed to its child (" + e
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
        turns.begun(this);
        if (!started) { // there is no child to tell; KCL would try that again and again, and stop for nothing else
            return;
        }
        children.end(shardId, this);
        pending.end(() -> child.leaseLost(input));
        if (!ended) {
            missing.restore(shardId, pending.stored());
        }
        turns.wake();
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
        ended = true;
        children.end(shardId, this);
        pending.end(() -> child.shardEnded(input));
        turns.wake();
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
        if (started) {
            pending.end(() -> child.shutdownRequested(input)); // no batch comes after it
        }
    }
}
