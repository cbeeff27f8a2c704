package replicator.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** A row is as it was written, or says what of it isn't. */
class RowTest {
    private static final Row ROW = new Row("copy", Map.of(
            "state", AttributeValue.fromS("running"),
            "concurrent", AttributeValue.fromBool(true),
            "startedMs", AttributeValue.fromN("1700000000000"),
            "early", AttributeValue.fromN("-1"),
            "far", AttributeValue.fromN("1e30")));

    @Test
    void whatIsThere() {
        assertEquals("running", ROW.text("state"));
        assertTrue(ROW.flag("concurrent"));
        assertEquals(1_700_000_000_000L, ROW.millis("startedMs"));
    }

    @Test
    void whatAnEarlierVersionDidNotWrite() {
        assertEquals("", ROW.text("via", ""));
        assertFalse(ROW.flag("other"));
    }

    @Test
    void whatIsNotAsItWasWritten() {
        for (Executable read : List.<Executable>of(() -> ROW.text("missing"), () -> ROW.text("startedMs"),
                () -> ROW.text("concurrent", ""), () -> ROW.millis("missing"), () -> ROW.millis("state"),
                () -> ROW.millis("early"), () -> ROW.millis("far"), () -> ROW.flag("state"))) {
            String said = assertThrows(IllegalStateException.class, read).getMessage();
            assertTrue(said.startsWith("The row copy of the task table has no "), said);
        }
    }
}
