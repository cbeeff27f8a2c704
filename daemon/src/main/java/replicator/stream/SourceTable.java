package replicator.stream;

import java.util.function.Supplier;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.TableDescription;

/** The table whose stream is read. It is asked only if the stream seems to be gone. */
public final class SourceTable {
    private static final long SHARED_NANOS = 2_000_000_000;

    private final String name;
    private final Supplier<DynamoDbClient> connect;
    private DynamoDbClient client;
    private Supplier<Boolean> answer;
    private long askedNanos;

    /** @param connect makes the client, when it is first needed */
    public SourceTable(String name, Supplier<DynamoDbClient> connect) {
        this.name = name;
        this.connect = connect;
    }

    /**
     * Whether the table is gone, or its stream is off or another one.
     *
     * @throws RuntimeException if that can't be known
     */
    synchronized boolean isWithoutStream(String streamArn) {
        if (answer == null || System.nanoTime() - askedNanos > SHARED_NANOS) {
            answer = ask(streamArn);
            askedNanos = System.nanoTime();
        }
        return answer.get();
    }

    /** Many shards may ask at once, and again and again. */
    private Supplier<Boolean> ask(String streamArn) {
        try {
            boolean found = look(streamArn);
            return () -> found;
        } catch (RuntimeException e) {
            return () -> {
                throw e;
            };
        }
    }

    private boolean look(String streamArn) {
        client = client == null ? connect.get() : client;
        try {
            TableDescription table = client.describeTable(r -> r.tableName(name)).table();
            if (table == null || table.tableStatus() == null) {
                throw new IllegalStateException("DescribeTable: the answer is not whole");
            }
            boolean enabled = table.streamSpecification() != null
                    && Boolean.TRUE.equals(table.streamSpecification().streamEnabled());
            return !enabled || !streamArn.equals(table.latestStreamArn());
        } catch (ResourceNotFoundException e) {
            return true;
        }
    }
}
