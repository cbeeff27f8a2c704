package replicator.shard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import software.amazon.kinesis.checkpoint.ShardRecordProcessorCheckpointer;
import software.amazon.kinesis.leases.ShardInfo;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.processor.Checkpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/** A child that puts its checkpoints off is asked for them when the interval is over, and only then. */
class PendingCheckpointTest {
    private static final long PATIENCE_SECONDS = 60;

    /** Puts off every checkpoint until it is asked, as a child with an interval does. */
    private static final class Child implements ShardRecordProcessor {
        final BlockingQueue<Integer> batches = new LinkedBlockingQueue<>();
        volatile boolean isAsked = true;
        volatile boolean storesBatches;
        volatile CountDownLatch busy = new CountDownLatch(0);
        private String last;

        @Override
        public void initialize(InitializationInput input) {
        }

        @Override
        public void processRecords(ProcessRecordsInput input) {
            batches.add(input.records().size());
            try {
                busy.await();
                if (!input.records().isEmpty()) {
                    last = input.records().get(input.records().size() - 1).sequenceNumber();
                }
                if (input.records().isEmpty() ? isAsked : storesBatches) {
                    input.checkpointer().checkpoint(last);
                }
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void leaseLost(LeaseLostInput input) {
        }

        @Override
        public void shardEnded(ShardEndedInput input) {
        }

        @Override
        public void shutdownRequested(ShutdownRequestedInput input) {
        }
    }

    /** What KCL's own checkpointer stores. */
    private static final class Stored implements Checkpointer {
        final List<ExtendedSequenceNumber> all = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void setCheckpoint(String key, ExtendedSequenceNumber checkpoint, String token) {
            all.add(checkpoint);
        }

        @Override
        public ExtendedSequenceNumber getCheckpoint(String key) {
            throw new UnsupportedOperationException();
        }

        @Override
        public software.amazon.kinesis.checkpoint.Checkpoint getCheckpointObject(String key) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void prepareCheckpoint(String key, ExtendedSequenceNumber pending, String token) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void prepareCheckpoint(String key, ExtendedSequenceNumber pending, String token, byte[] state) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void operation(String operation) {
        }

        @Override
        public String operation() {
            return "";
        }
    }

    /** Its looks are called by hand. */
    private static final class ClockByHand extends CheckpointClock {
        final Deque<Runnable> looks = new ArrayDeque<>();

        ClockByHand() {
            super(60_000);
        }

        @Override
        void whenDue(long millis, Runnable look) {
            looks.add(look);
        }

        void isDue() {
            looks.remove().run();
        }
    }

    private final ClockByHand clock = new ClockByHand();
    private final Child child = new Child();
    private final Stored stored = new Stored();
    private final ShardRecordProcessorCheckpointer checkpointer = new ShardRecordProcessorCheckpointer(
            new ShardInfo("shard", "token", List.of(), ExtendedSequenceNumber.TRIM_HORIZON), stored);

    private PendingCheckpoint shard(CheckpointClock clock) {
        PendingCheckpoint made = new PendingCheckpoint(child, clock);
        checkpointer.setInitialCheckpointValue(ExtendedSequenceNumber.TRIM_HORIZON);
        made.begin(ExtendedSequenceNumber.TRIM_HORIZON);
        return made;
    }

    private void process(PendingCheckpoint shard, long... sequenceNumbers) {
        List<KinesisClientRecord> records = new ArrayList<>();
        for (long number : sequenceNumbers) {
            records.add(KinesisClientRecord.builder().sequenceNumber(Long.toString(number)).partitionKey("")
                    .data(ByteBuffer.allocate(0)).build());
            checkpointer.largestPermittedCheckpointValue(new ExtendedSequenceNumber(Long.toString(number)));
        }
        shard.process(ProcessRecordsInput.builder().records(records).checkpointer(checkpointer).build());
    }

    private void assertNextBatches(Integer... records) throws InterruptedException {
        List<Integer> found = new ArrayList<>();
        for (int i = 0; i < records.length; i++) {
            found.add(child.batches.poll(PATIENCE_SECONDS, TimeUnit.SECONDS));
        }
        assertEquals(Arrays.asList(records), found);
    }

    @Test
    void aQuietShardIsAskedWhenItsTimeIsOver() throws Exception {
        PendingCheckpoint shard = shard(new CheckpointClock(1));
        process(shard, 5, 6);
        assertTrue(shard.isPending());
        assertNextBatches(2, 0);
        shard.end(() -> { }); // waits for the answer
        assertFalse(shard.isPending());
        assertEquals(List.of(new ExtendedSequenceNumber("6")), stored.all);
        assertEquals(new ExtendedSequenceNumber("6"), shard.stored());
    }

    @Test
    void itIsAskedOnceForAllThatIsPending() throws Exception {
        PendingCheckpoint shard = shard(clock);
        process(shard, 5);
        process(shard, 6);
        assertEquals(ExtendedSequenceNumber.TRIM_HORIZON, shard.stored());
        assertEquals(1, clock.looks.size());
        clock.isDue();
        assertEquals(List.of(new ExtendedSequenceNumber("6")), stored.all);
        assertEquals(0, clock.looks.size());
        process(shard, 7);
        assertEquals(1, clock.looks.size());
    }

    @Test
    void aChildThatStoresIsNotAsked() throws Exception {
        PendingCheckpoint shard = shard(clock);
        process(shard, 5);
        child.storesBatches = true;
        process(shard, 6);
        clock.isDue();
        assertNextBatches(1, 1);
        assertTrue(child.batches.isEmpty());
        assertEquals(0, clock.looks.size());
    }

    @Test
    void withoutAnIntervalNobodyIsAsked() throws Exception {
        PendingCheckpoint shard = shard(new CheckpointClock(0) {
            @Override
            void whenDue(long millis, Runnable look) {
                throw new AssertionError();
            }
        });
        process(shard, 5);
        assertTrue(shard.isPending());
    }

    @Test
    void aChildThatDoesNotStoreIsAskedAgain() throws Exception {
        child.isAsked = false;
        PendingCheckpoint shard = shard(clock);
        process(shard, 5);
        clock.isDue();
        clock.isDue();
        assertEquals(List.of(), stored.all);
        child.isAsked = true;
        clock.isDue();
        assertEquals(List.of(new ExtendedSequenceNumber("5")), stored.all);
        assertEquals(0, clock.looks.size());
    }

    @Test
    void nobodyIsAskedWhileABatchIsUnderWay() throws Exception {
        PendingCheckpoint shard = shard(clock);
        process(shard, 5);
        child.busy = new CountDownLatch(1);
        Thread batch = new Thread(() -> process(shard, 6));
        batch.start();
        assertNextBatches(1, 1);
        clock.isDue(); // it is passed by
        assertTrue(child.batches.isEmpty());
        child.busy.countDown();
        batch.join();
        clock.isDue(); // asked for by that batch
        assertEquals(List.of(new ExtendedSequenceNumber("6")), stored.all);
    }

    @Test
    void nobodyIsAskedAfterTheLastMessage() throws Exception {
        PendingCheckpoint shard = shard(clock);
        process(shard, 5);
        shard.end(() -> { });
        clock.isDue();
        assertNextBatches(1);
        assertTrue(child.batches.isEmpty());
        assertEquals(List.of(), stored.all);
    }

    @Test
    void whatTheDaemonItselfHasPassedIsNotPending() throws Exception {
        PendingCheckpoint shard = shard(clock);
        process(shard, 5);
        checkpointer.largestPermittedCheckpointValue(new ExtendedSequenceNumber("9"));
        checkpointer.checkpoint("9");
        assertFalse(shard.isPending());
    }
}
