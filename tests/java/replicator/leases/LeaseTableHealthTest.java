package replicator.leases;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import replicator.rows.OutageRow;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;

/** Whether the lease table is to be looked at again soon. */
class LeaseTableHealthTest {
    private final DynamoDbAsyncClient client = (DynamoDbAsyncClient) Proxy.newProxyInstance(
            getClass().getClassLoader(), new Class<?>[] {DynamoDbAsyncClient.class},
            (proxy, method, arguments) -> CompletableFuture.failedFuture(new IllegalStateException("no table here")));
    private final LeaseTableHealth health = new LeaseTableHealth("table", client, new OutageRow(client, "tasks", "worker"));

    @Test
    void aScanThatFailedFailsUntilOneIsAnswered() {
        assertFalse(health.isScanFailing());
        health.fails("Scan", "", new IllegalStateException("throttled"));
        assertTrue(health.isScanFailing());
        health.works("shard");
        assertTrue(health.isScanFailing());
        health.works("");
        assertFalse(health.isScanFailing());
    }

    @Test
    void aCallAboutOneLeaseIsNoScan() {
        health.fails("UpdateItem", "shard", new IllegalStateException("throttled"));
        assertFalse(health.isScanFailing());
    }
}
