package replicator.shard;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import replicator.log.NotYetException;
import replicator.process.DispatchTurns;
import replicator.process.Exit;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/** KCL passes over a batch for which an exception leaves the processor, and checkpoints the next one. */
class StreamsRecordProcessorTest {
    private static final Clock BROKEN = new Clock() {
        @Override
        public Instant instant() {
            throw new ArithmeticException("long overflow");
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public ZoneId getZone() {
            return ZoneId.of("UTC");
        }
    };

    @Test
    void whateverFailsBeforeTheChildHasABatchEndsTheProcess() throws Exception {
        AtomicBoolean given = new AtomicBoolean();
        ShardRecordProcessor child = (ShardRecordProcessor) Proxy.newProxyInstance(getClass().getClassLoader(),
                new Class<?>[] {ShardRecordProcessor.class}, (proxy, method, arguments) -> {
                    given.set(true);
                    return null;
                });
        Exit exit = new Exit(() -> {});
        StreamsRecordProcessor processor = new StreamsRecordProcessor(child, new Children(), null, null, null, new FirstStart(0, false),
                new Progress(new RecordTimes("arn"), new Holds(Path.of("holds")), false), new Retention(BROKEN),
                new DispatchTurns(Thread.currentThread()), null, exit);
        field(StreamsRecordProcessor.class, "shardId").set(processor, "shard");
        field(StreamsRecordProcessor.class, "started").set(processor, true);
        KinesisClientRecord record = KinesisClientRecord.builder().sequenceNumber("1")
                .approximateArrivalTimestamp(Instant.EPOCH).data(ByteBuffer.wrap(new byte[] {'{', '}'})).build();
        ProcessRecordsInput batch = ProcessRecordsInput.builder().records(List.of(record)).build();
        String said = assertThrows(IllegalStateException.class, () -> processor.processRecords(batch)).getMessage();
        assertTrue(said.startsWith("BUG: a batch could not be handed to its child"), said);
        assertFalse(given.get());
    }

    /** KCL asks it to begin once its parent is read, and again and again where it may not yet. */
    @Test
    void oneThatMayBeginOnlyLaterKeepsTheTurnsAwakeForItsFirstTryOnly() {
        AtomicLong nanos = new AtomicLong();
        DispatchTurns turns = new DispatchTurns(Thread.currentThread(), nanos::get);
        turns.begin();
        BeginGate gate = new BeginGate(shardId -> {
            throw new NotYetException("the last owner may write");
        }, null, null, null, null);
        StreamsRecordProcessor processor = new StreamsRecordProcessor(
                null, new Children(), gate, null, null, null, null, null, turns, null, null);
        InitializationInput input = InitializationInput.builder().shardId("shard").build();
        nanos.addAndGet(TimeUnit.MINUTES.toNanos(1));
        assertFalse(turns.isAwake());
        assertThrows(NotYetException.class, () -> processor.initialize(input));
        assertTrue(turns.isAwake());
        nanos.addAndGet(TimeUnit.MINUTES.toNanos(1));
        assertThrows(NotYetException.class, () -> processor.initialize(input));
        assertFalse(turns.isAwake());
    }

    private static Field field(Class<?> type, String name) throws Exception {
        Field found = type.getDeclaredField(name);
        found.setAccessible(true);
        return found;
    }
}
