package replicator.shard;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import replicator.rows.Schema;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Which copies a shard doesn't begin beside, by the row as Python writes it. */
class CopyGateTest {
    private final Map<String, AttributeValue> row = new HashMap<>(Schema.example("copy"));

    private Optional<String> unfinished() {
        return CopyGate.unfinished(Schema.row("copy", row));
    }

    @Test
    void aCopyThatIsNotThroughIsSaid() {
        String said = unfinished().orElseThrow();
        assertTrue(said.contains("begun by " + row.get("host").s()), said);
        assertFalse(said.contains("--concurrent"), said); // it is made by S3
        row.replace("via", AttributeValue.fromS(""));
        assertTrue(unfinished().orElseThrow().contains("--concurrent"));
    }

    @Test
    void anyOtherIsNone() {
        assertTrue(CopyGate.unfinished(Schema.row("copy", Map.of())).isEmpty());
        row.replace("concurrent", AttributeValue.fromBool(true));
        assertTrue(unfinished().isEmpty());
        row.replace("concurrent", AttributeValue.fromBool(false));
        row.replace("state", AttributeValue.fromS("done"));
        assertTrue(unfinished().isEmpty());
    }
}
