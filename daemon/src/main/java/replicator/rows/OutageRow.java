package replicator.rows;

import java.time.Duration;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/**
 * The row of the task table that says that a daemon lives and can't use the checkpoint table: leases alone would have
 * {@code status} say that none runs. {@code processor/state/checkpoint_outage.py} reads it.
 *
 * <p>One row for the whole fleet: its daemons use the same table, and whoever still fails writes it again. It changes
 * only what status says, so it is written and removed without waiting, and without a second try.
 */
public final class OutageRow {
    private static final Map<String, AttributeValue> KEY = Map.of("name", AttributeValue.fromS("checkpoints"));
    private static final long WRITTEN_AGAIN_AFTER_MILLIS = 30_000;
    private static final Logger LOG = LoggerFactory.getLogger(OutageRow.class);
    private static final AwsRequestOverrideConfiguration BRIEFLY =
            AwsRequestOverrideConfiguration.builder().apiCallTimeout(Duration.ofSeconds(5)).build();

    private final DynamoDbAsyncClient client;
    private final String taskTable;
    private final String workerId;
    private long writtenAtMillis;

    public OutageRow(DynamoDbAsyncClient client, String taskTable, String workerId) {
        this.client = client;
        this.taskTable = taskTable;
        this.workerId = workerId;
    }

    /** To be called at every look while it is so; writes now and then. */
    public void write(long sinceMillis, String reason) {
        long now = System.currentTimeMillis();
        if (now - writtenAtMillis < WRITTEN_AGAIN_AFTER_MILLIS) {
            return;
        }
        writtenAtMillis = now;
        client.putItem(request -> request.tableName(taskTable).overrideConfiguration(BRIEFLY).item(Map.of(
                        "name", KEY.get("name"),
                        "worker", AttributeValue.fromS(workerId),
                        "sinceMs", AttributeValue.fromN(Long.toString(sinceMillis)),
                        "seenMs", AttributeValue.fromN(Long.toString(now)),
                        "reason", AttributeValue.fromS(reason))))
                .whenComplete((response, error) -> debug(error));
    }

    public void remove() {
        if (writtenAtMillis != 0) {
            writtenAtMillis = 0;
            client.deleteItem(request -> request.tableName(taskTable).overrideConfiguration(BRIEFLY).key(KEY))
                    .whenComplete((response, error) -> debug(error));
        }
    }

    private static void debug(Throwable error) {
        if (error != null) {
            LOG.debug("The row of the outage could not be kept", error);
        }
    }
}
