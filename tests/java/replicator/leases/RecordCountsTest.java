package replicator.leases;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.AttributeValueUpdate;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemRequest;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseSerializer;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/** A checkpoint takes the child's counts along, which began with those of the row; nothing else does, and without them none. */
class RecordCountsTest {
    private static final String SHARD = "shardId-1";

    @TempDir
    private Path directory;

    /** The count of what is left out has a 1 in front. */
    private static Map<String, AttributeValue> row(String count) {
        return count == null ? Map.of() : Map.of(
                RecordCounts.APPLIED, AttributeValue.builder().n("1" + count).build(),
                RecordCounts.FILTERED, AttributeValue.builder().n(count).build());
    }

    /** As KCL makes it. */
    private static UpdateItemRequest update(boolean ofCheckpoint) {
        DynamoDBLeaseSerializer kcl = new DynamoDBLeaseSerializer();
        Lease lease = new Lease();
        lease.leaseKey(SHARD);
        lease.leaseCounter(3L);
        lease.checkpoint(new ExtendedSequenceNumber("5"));
        lease.ownerSwitchesSinceCheckpoint(0L);
        Map<String, AttributeValueUpdate> updates = new HashMap<>(kcl.getDynamoLeaseCounterUpdate(lease));
        if (ofCheckpoint) {
            updates.putAll(kcl.getDynamoUpdateLeaseUpdate(lease));
        }
        return UpdateItemRequest.builder().tableName("leases").key(kcl.getDynamoHashKey(lease))
                .expected(kcl.getDynamoLeaseCounterExpectation(lease)).attributeUpdates(updates).build();
    }

    private static String stored(RecordCounts counts) {
        Map<String, AttributeValueUpdate> updates = counts.with(SHARD, update(true)).attributeUpdates();
        return text(updates.get(RecordCounts.APPLIED)) + ", " + text(updates.get(RecordCounts.FILTERED));
    }

    private static String text(AttributeValueUpdate stored) {
        return stored == null ? "-" : stored.actionAsString() + " " + stored.value().n();
    }

    /** As a child does. */
    private void count(long applied, long filtered) throws Exception {
        byte[] both = ByteBuffer.allocate(2 * Long.BYTES).putLong(applied).putLong(filtered).array();
        Files.write(directory.resolve(LeaseTerms.fileName(SHARD)), both);
    }

    @Test
    void aCheckpointHasTheCountThatBeganWithTheRows() throws Exception {
        RecordCounts counts = new RecordCounts(directory, true);
        counts.found(SHARD, row("40"));
        counts.begin(SHARD);
        assertEquals("PUT 140, PUT 40", stored(counts));
        count(150, 43);
        assertEquals("PUT 150, PUT 43", stored(counts));
        UpdateItemRequest whole = counts.with(SHARD, update(true));
        Map<String, AttributeValueUpdate> others = new HashMap<>(whole.attributeUpdates());
        others.remove(RecordCounts.APPLIED);
        others.remove(RecordCounts.FILTERED);
        assertEquals(update(true), whole.toBuilder().attributeUpdates(others).build());
        UpdateItemRequest renewal = update(false);
        assertSame(renewal, counts.with(SHARD, renewal));
    }

    @Test
    void aRowWithoutACountOrWithNonsenseBeginsWithNone() {
        RecordCounts counts = new RecordCounts(directory, true);
        for (String none : new String[] {null, "-1", "1.5", "9".repeat(16), "9".repeat(38), "x"}) {
            counts.found(SHARD, row(none));
            counts.begin(SHARD);
            assertEquals("PUT 0, PUT 0", stored(counts));
        }
    }

    /** Then the row keeps what it has. */
    @Test
    void whereTheRowWasNotReadNothingIsStored() throws Exception {
        RecordCounts counts = new RecordCounts(directory, true);
        count(8, 7); // an earlier child's
        counts.begin(SHARD);
        assertEquals("-, -", stored(counts));
        assertFalse(Files.exists(directory.resolve(LeaseTerms.fileName(SHARD))));
    }

    @Test
    void anEarlierChildWritesElsewhere() throws Exception {
        RecordCounts counts = new RecordCounts(directory, true);
        counts.found(SHARD, row("1"));
        counts.begin(SHARD);
        Object earlier = Files.getAttribute(directory.resolve(LeaseTerms.fileName(SHARD)), "unix:ino");
        counts.found(SHARD, row("2"));
        Path kept = Files.createLink(directory.resolve("kept"), directory.resolve(LeaseTerms.fileName(SHARD)));
        counts.begin(SHARD);
        assertEquals(earlier, Files.getAttribute(kept, "unix:ino"));
        assertFalse(earlier.equals(Files.getAttribute(directory.resolve(LeaseTerms.fileName(SHARD)), "unix:ino")));
        assertEquals("PUT 12, PUT 2", stored(counts));
    }

    @Test
    void whereTheSettingsLeaveNothingOutThatIsNotStored() {
        RecordCounts counts = new RecordCounts(directory, false);
        counts.found(SHARD, row("40"));
        counts.begin(SHARD);
        assertEquals("PUT 140, -", stored(counts));
    }

    @Test
    void whereNothingIsCountedAnUpdateIsAsItWas() {
        RecordCounts counts = new RecordCounts(null, true);
        counts.found(SHARD, row("40"));
        counts.begin(SHARD);
        UpdateItemRequest checkpoint = update(true);
        assertSame(checkpoint, counts.with(SHARD, checkpoint));
    }
}
