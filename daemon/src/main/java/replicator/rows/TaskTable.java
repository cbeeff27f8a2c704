package replicator.rows;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** The table of this task's own rows ({@code processor/state/task_row.py}), beside the checkpoint table. */
public final class TaskTable {
    private static final String KEY = "name";
    private static final long TIMEOUT_SECONDS = 10;

    private final DynamoDbAsyncClient client;
    private final String table;

    public TaskTable(DynamoDbAsyncClient client, String table) {
        this.client = client;
        this.table = table;
    }

    /**
     * A row; missing where there is none, as two answers say: one that lacks the item is not believed.
     *
     * @throws RuntimeException if it can't be read within ten seconds
     */
    public Row row(String name) {
        Map<String, AttributeValue> row = read(name);
        return new Row(name, row.isEmpty() ? read(name) : row);
    }

    private Map<String, AttributeValue> read(String name) {
        return client.getItem(request -> request.tableName(table).key(Map.of(KEY, AttributeValue.fromS(name)))
                .consistentRead(true)).orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS).join().item();
    }

    /**
     * Replaces a row.
     *
     * @throws RuntimeException if it can't be written within ten seconds
     */
    void put(String name, Map<String, AttributeValue> values) {
        Map<String, AttributeValue> row = new HashMap<>(values);
        row.put(KEY, AttributeValue.fromS(name));
        client.putItem(request -> request.tableName(table).item(row)).orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS).join();
    }

    /**
     * Removes a row, if it is there.
     *
     * @throws RuntimeException if that can't be done within ten seconds
     */
    void delete(String name) {
        client.deleteItem(request -> request.tableName(table).key(Map.of(KEY, AttributeValue.fromS(name))))
                .orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS).join();
    }
}
