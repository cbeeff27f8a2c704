package replicator.shard;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import software.amazon.kinesis.checkpoint.ShardRecordProcessorCheckpointer;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/**
 * The checkpoint of one shard that its child has put off ({@code processor/replication/checkpoint.py}).
 *
 * <p>Only the child knows what is applied, so it alone checkpoints; but it can do so only while a message is under way. Where
 * the shard goes quiet, or its stream can't be read, there is none. So when the time is over, the child is sent a batch
 * without records.
 */
final class PendingCheckpoint {
    private final ShardRecordProcessor child;
    private final CheckpointClock clock;

    /** The child works on one message at a time. */
    private final ReentrantLock turn = new ReentrantLock();

    private final AtomicBoolean isAwaited = new AtomicBoolean();
    private ShardRecordProcessorCheckpointer checkpointer;
    private ExtendedSequenceNumber given;
    private volatile ExtendedSequenceNumber stored;
    private long storedNanos;
    private boolean isOver;

    PendingCheckpoint(ShardRecordProcessor child, CheckpointClock clock) {
        this.child = child;
        this.clock = clock;
    }

    /** @param checkpoint where the shard begins */
    void begin(ExtendedSequenceNumber checkpoint) {
        stored = checkpoint;
        storedNanos = System.nanoTime();
    }

    /** The shard's checkpoint, as far as this daemon has stored it. */
    ExtendedSequenceNumber stored() {
        return stored;
    }

    /** Whether the child was given records that its checkpoint has not passed yet; called between two batches. */
    boolean isPending() {
        return given != null && given.compareTo(checkpointer.lastCheckpointValue()) > 0;
    }

    /** Gives the child a batch, and returns when it has answered. */
    void process(ProcessRecordsInput batch) {
        turn.lock();
        try {
            checkpointer = (ShardRecordProcessorCheckpointer) batch.checkpointer();
            if (!batch.records().isEmpty()) {
                KinesisClientRecord last = batch.records().get(batch.records().size() - 1);
                given = new ExtendedSequenceNumber(last.sequenceNumber());
            }
            send(batch);
            awaitDue(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - storedNanos));
        } finally {
            turn.unlock();
        }
    }

    /** Sends the child its last message; it is asked for nothing after that. */
    void end(Runnable message) {
        turn.lock();
        try {
            isOver = true;
            message.run();
            noteStored();
        } finally {
            turn.unlock();
        }
    }

    private void send(ProcessRecordsInput batch) {
        child.processRecords(batch);
        noteStored();
    }

    private void noteStored() {
        if (checkpointer != null && !checkpointer.lastCheckpointValue().equals(stored)) {
            stored = checkpointer.lastCheckpointValue();
            storedNanos = System.nanoTime();
        }
    }

    private void awaitDue(long millis) {
        if (clock.isRunning() && isPending() && isAwaited.compareAndSet(false, true)) {
            clock.whenDue(millis, this::ask);
        }
    }

    private void ask() {
        isAwaited.set(false);
        if (!turn.tryLock()) { // a batch is under way, and whoever has given it awaits the next time
            return;
        }
        try {
            if (!isOver && isPending()) {
                send(ProcessRecordsInput.builder().records(List.of()).checkpointer(checkpointer).millisBehindLatest(0L).build());
                awaitDue(0); // it stays so where the child knows already that the lease is lost
            }
        } finally {
            turn.unlock();
        }
    }
}
