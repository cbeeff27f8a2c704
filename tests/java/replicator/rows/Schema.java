package replicator.rows;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.DeleteItemRequest;
import software.amazon.awssdk.services.dynamodb.model.DeleteItemResponse;
import software.amazon.awssdk.services.dynamodb.model.GetItemRequest;
import software.amazon.awssdk.services.dynamodb.model.GetItemResponse;
import software.amazon.awssdk.services.dynamodb.model.PutItemRequest;
import software.amazon.awssdk.services.dynamodb.model.PutItemResponse;

/** The schema of the task table's rows that Python is held to as well, and a table to hold them. */
public final class Schema {
    private static final JsonNode KINDS = read();

    private Schema() {}

    private static JsonNode read() {
        try {
            return new ObjectMapper().readTree(Path.of(System.getProperty("taskTableSchema")).toFile()).get("$defs");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static JsonNode kind(String name) {
        JsonNode found = KINDS.get(name);
        return found.has("$ref") ? KINDS.get(last(found)) : found;
    }

    private static String last(JsonNode reference) {
        return reference.get("$ref").asText().replaceFirst(".*/", "");
    }

    /** The type that DynamoDB has an attribute in, as S; of a kind of row. */
    private static String type(JsonNode attribute) {
        return KINDS.get(last(attribute)).get("required").get(0).asText();
    }

    /** A row has each attribute that its kind must have, and none that it doesn't have, each of its type. */
    static void insist(String kindName, Map<String, AttributeValue> row) {
        JsonNode kind = kind(kindName);
        row.forEach((name, value) -> {
            assertTrue(kind.get("properties").has(name), kindName + " has no " + name);
            assertEquals(type(kind.get("properties").get(name)), value.type().name(), name);
        });
        kind.get("required").forEach(name -> assertTrue(row.containsKey(name.asText()), kindName + " lacks " + name));
    }

    /** The schema's example of a row, as Python would have written it. */
    public static Map<String, AttributeValue> example(String kindName) {
        Map<String, AttributeValue> row = new HashMap<>();
        KINDS.get(kindName).get("examples").get(0).fields().forEachRemaining(field -> {
            JsonNode value = field.getValue();
            row.put(field.getKey(), value.has("BOOL") ? AttributeValue.fromBool(value.get("BOOL").asBoolean())
                    : value.has("N") ? AttributeValue.fromN(value.get("N").asText())
                    : AttributeValue.fromS(value.get("S").asText()));
        });
        return row;
    }

    /** A row as the task table gives it. */
    public static Row row(String name, Map<String, AttributeValue> attributes) {
        return new Row(name, attributes);
    }

    /** A task table in memory. */
    static final class Table implements DynamoDbAsyncClient {
        final Map<String, Map<String, AttributeValue>> rows = new HashMap<>();

        /** With a row in it. */
        Table with(Map<String, AttributeValue> row) {
            rows.put(row.get("name").s(), row);
            return this;
        }

        @Override
        public CompletableFuture<PutItemResponse> putItem(PutItemRequest request) {
            with(request.item());
            return CompletableFuture.completedFuture(PutItemResponse.builder().build());
        }

        @Override
        public CompletableFuture<GetItemResponse> getItem(GetItemRequest request) {
            Map<String, AttributeValue> row = rows.getOrDefault(request.key().get("name").s(), Map.of());
            return CompletableFuture.completedFuture(GetItemResponse.builder().item(row).build());
        }

        @Override
        public CompletableFuture<DeleteItemResponse> deleteItem(DeleteItemRequest request) {
            rows.remove(request.key().get("name").s());
            return CompletableFuture.completedFuture(DeleteItemResponse.builder().build());
        }

        @Override
        public String serviceName() {
            return SERVICE_NAME;
        }

        @Override
        public void close() {
            // There is nothing to close.
        }
    }
}
