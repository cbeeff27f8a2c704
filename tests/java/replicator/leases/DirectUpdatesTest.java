package replicator.leases;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import replicator.aws.DirectClients;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.AttributeValueUpdate;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.ExpectedAttributeValue;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemRequest;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemResponse;

/** An update is made once where that succeeds, and by the SDK, in the time that is left, where it doesn't. */
@Timeout(60)
class DirectUpdatesTest {
    private static final AttributeValue ONE = AttributeValue.builder().n("1").build();
    private static final UpdateItemRequest UPDATE = UpdateItemRequest.builder().tableName("leases")
            .key(Map.of("leaseKey", AttributeValue.builder().s("shardId-1").build()))
            .attributeUpdates(Map.of("leaseCounter", AttributeValueUpdate.builder().value(ONE).action("PUT").build()))
            .expected(Map.of("leaseCounter", ExpectedAttributeValue.builder().value(ONE).build())).build();

    private final DirectClients clients = new DirectClients();
    private final DynamoDbAsyncClient tables = clients.tables();
    private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
    private final DirectUpdates updates = new DirectUpdates(clients.calls, timer);
    private final AtomicLong left = new AtomicLong();

    private CompletableFuture<UpdateItemResponse> update(long millis) {
        return updates.updateItem(UPDATE, millis, time -> {
            left.set(time);
            return tables.updateItem(UPDATE);
        });
    }

    @BeforeEach
    void theSdkMakesTheFirst() throws Exception {
        update(20_000).get();
        assertEquals(1, clients.bySdk.get());
        assertEquals(20_000, left.get());
    }

    @AfterEach
    void end() {
        timer.shutdownNow();
    }

    @Test
    void theNextIsMadeDirectly() throws Exception {
        update(20_000).get();
        String more = "{\"ConsumedCapacity\":{}}";
        clients.next(200, more, "x-amz-crc32", DirectClients.checksum(more));
        update(20_000).get();
        assertEquals(1, clients.bySdk.get());
        assertEquals(3, clients.sent());
    }

    @Test
    void whatIsNoAnswerIsAskedForAgainByTheSdk() throws Exception {
        for (String wrong : new String[] {"", "[]", "{", "{}{}", "<html>", "null", "[{}", "{\"a\":" + "[".repeat(300)
                + "]".repeat(300) + "}"}) {
            int before = clients.bySdk.get();
            clients.next(200, wrong);
            update(20_000).get();
            assertEquals(before + 1, clients.bySdk.get(), wrong);
            assertTrue(left.get() > 0 && left.get() <= 20_000);
            clients.rested();
        }
        int before = clients.bySdk.get();
        clients.next(200, "{}", "x-amz-crc32", "1");
        update(20_000).get();
        assertEquals(before + 1, clients.bySdk.get());
    }

    @Test
    void anErrorIsTheSdks() {
        String error = "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException\"}";
        clients.next(400, error);
        clients.next(400, error);
        ExecutionException failed = assertThrows(ExecutionException.class, () -> update(20_000).get());
        assertInstanceOf(ConditionalCheckFailedException.class, failed.getCause());
        assertEquals(2, clients.bySdk.get());
    }

    /** Nobody would wait for what the SDK makes of it. */
    @Test
    void afterItsTimeItIsCutOffAndNotMadeAgain() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        clients.next(() -> {
            try {
                assertTrue(end.await(30, TimeUnit.SECONDS));
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            throw new IOException("cut off");
        });
        ExecutionException failed = assertThrows(ExecutionException.class, () -> update(50).get());
        assertInstanceOf(ApiCallTimeoutException.class, failed.getCause());
        assertTrue(clients.aborted.await(30, TimeUnit.SECONDS));
        end.countDown();
        clients.awaitIdle();
        assertEquals(1, clients.bySdk.get());
        assertFalse(clients.isReady(UPDATE));
    }
}
