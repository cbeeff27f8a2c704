package replicator.aws;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Map;
import software.amazon.awssdk.core.SdkRequest;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.AttributeValueUpdate;
import software.amazon.awssdk.services.dynamodb.model.ExpectedAttributeValue;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemRequest;

/** The bodies of the two calls that are made all the time, byte for byte as the SDK writes them. */
final class RequestBodies {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int USUAL_BYTES = 512;

    private RequestBodies() {}

    /** Null where the request is of another kind, or has anything that isn't written here. */
    static byte[] of(SdkRequest request) {
        ByteArrayOutputStream written = new ByteArrayOutputStream(USUAL_BYTES);
        try (JsonGenerator json = JSON.createGenerator(written)) {
            json.writeStartObject();
            boolean isWhole = request instanceof GetRecordsRequest ? write(json, (GetRecordsRequest) request)
                    : request instanceof UpdateItemRequest && write(json, (UpdateItemRequest) request);
            if (!isWhole) {
                return null;
            }
            json.writeEndObject();
        } catch (IOException e) { // there is nothing that could fail
            return null;
        }
        return written.toByteArray();
    }

    private static boolean write(JsonGenerator json, GetRecordsRequest request) throws IOException {
        if (request.shardIterator() == null || request.limit() == null) {
            return false;
        }
        json.writeStringField("ShardIterator", request.shardIterator());
        json.writeNumberField("Limit", request.limit());
        return true;
    }

    private static boolean write(JsonGenerator json, UpdateItemRequest request) throws IOException {
        if (!isPlain(request)) {
            return false;
        }
        json.writeStringField("TableName", request.tableName());
        json.writeObjectFieldStart("Key");
        for (Map.Entry<String, AttributeValue> each : request.key().entrySet()) {
            if (!write(json, each.getKey(), each.getValue())) {
                return false;
            }
        }
        json.writeEndObject();
        json.writeObjectFieldStart("AttributeUpdates");
        for (Map.Entry<String, AttributeValueUpdate> each : request.attributeUpdates().entrySet()) {
            json.writeObjectFieldStart(each.getKey());
            AttributeValue value = each.getValue().value();
            if (value != null && !write(json, "Value", value)) {
                return false;
            }
            if (each.getValue().actionAsString() != null) {
                json.writeStringField("Action", each.getValue().actionAsString());
            }
            json.writeEndObject();
        }
        json.writeEndObject();
        json.writeObjectFieldStart("Expected");
        for (Map.Entry<String, ExpectedAttributeValue> each : request.expected().entrySet()) {
            if (!write(json, each.getKey(), each.getValue())) {
                return false;
            }
        }
        json.writeEndObject();
        String onFailure = request.returnValuesOnConditionCheckFailureAsString();
        if (onFailure != null) {
            json.writeStringField("ReturnValuesOnConditionCheckFailure", onFailure);
        }
        return true;
    }

    /** Whether it has what KCL gives an update of a lease, and nothing else. */
    private static boolean isPlain(UpdateItemRequest request) {
        return request.tableName() != null && request.hasKey() && request.hasAttributeUpdates() && request.hasExpected()
                && request.conditionalOperatorAsString() == null && request.returnValuesAsString() == null
                && request.returnConsumedCapacityAsString() == null
                && request.returnItemCollectionMetricsAsString() == null
                && request.updateExpression() == null && request.conditionExpression() == null
                && !request.hasExpressionAttributeNames() && !request.hasExpressionAttributeValues();
    }

    private static boolean write(JsonGenerator json, String name, ExpectedAttributeValue expected) throws IOException {
        if (expected.comparisonOperatorAsString() != null || expected.hasAttributeValueList()) {
            return false;
        }
        json.writeObjectFieldStart(name);
        if (expected.value() != null && !write(json, "Value", expected.value())) {
            return false;
        }
        if (expected.exists() != null) {
            json.writeBooleanField("Exists", expected.exists());
        }
        json.writeEndObject();
        return true;
    }

    private static boolean write(JsonGenerator json, String name, AttributeValue value) throws IOException {
        boolean isText = value.type() == AttributeValue.Type.S;
        if (!isText && value.type() != AttributeValue.Type.N) {
            return false;
        }
        json.writeObjectFieldStart(name);
        json.writeStringField(isText ? "S" : "N", isText ? value.s() : value.n());
        json.writeEndObject();
        return true;
    }
}
