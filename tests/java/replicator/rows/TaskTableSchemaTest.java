package replicator.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Rows of the task table, held to the schema that Python is held to by {@code test_task_table_schema.py}. */
class TaskTableSchemaTest {
    private static final String SHARD = "shardId-1";

    private final Schema.Table table = new Schema.Table();
    private final TaskTable rows = new TaskTable(table, "task-table");

    @Test
    void whatIsWrittenIsAsTheSchemaHasIt() {
        LossRows losses = new LossRows(rows);
        losses.found(SHARD, "17", 1, "lost");
        Schema.insist("loss", table.rows.get("loss#" + SHARD));
        losses.lifted(SHARD, "17", 1, "copied");
        Schema.insist("lifted", table.rows.get("lifted#" + SHARD));
        assertFalse(table.rows.containsKey("loss#" + SHARD));
        OutageRow outage = new OutageRow(table, "task-table", "machine:1");
        outage.write(1, "away");
        Schema.insist("checkpoints", table.rows.get("checkpoints"));
        outage.remove();
        assertFalse(table.rows.containsKey("checkpoints"));
    }

    @Test
    void lossesAreReadByTheSchemasNames() {
        table.with(Schema.example("loss")).with(Schema.example("lifted"));
        LossRows losses = new LossRows(rows);
        String checkpoint = Schema.example("loss").get("sequenceNumber").s();
        OptionalLong since = OptionalLong.of(Long.parseLong(Schema.example("loss").get("sinceMs").n()));
        assertEquals(since, losses.since(SHARD, checkpoint));
        assertEquals(since, losses.liftedSince(SHARD, checkpoint));
        assertEquals(OptionalLong.empty(), losses.since(SHARD, "other"));
    }

    @Test
    void aCopyIsReadByTheSchemasNames() {
        long now = System.currentTimeMillis();
        Map<String, AttributeValue> copy = new HashMap<>(Schema.example("copy"));
        String stream = copy.get("streamArn").s();
        copy.replace("startedMs", AttributeValue.fromN(Long.toString(now)));
        copy.replace("state", AttributeValue.fromS("done"));
        table.with(copy);
        assertTrue(LastCopy.of(rows, stream).covers(now));
        assertFalse(LastCopy.of(rows, "another").covers(now));
        assertTrue(LastCopy.ofMirror(rows).covers(now));
        copy.replace("state", AttributeValue.fromS("running"));
        assertFalse(LastCopy.of(rows, stream).covers(now));
    }
}
