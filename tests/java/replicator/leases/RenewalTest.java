package replicator.leases;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import replicator.rows.OutageRow;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemResponse;
import software.amazon.kinesis.common.DdbTableConfig;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseSerializer;
import software.amazon.kinesis.leases.dynamodb.TableCreatorCallback;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

/** When a lease's renewal is left out: only where its counter has been moved just now. */
class RenewalTest {
    private static final long LENGTH_MILLIS = 1_000_000; // longer than any test

    @TempDir
    Path directory;

    private final AtomicInteger updates = new AtomicInteger();
    private LeaseTerms terms;
    private FleetLeaseRefresher leases;
    private Lease lease;

    @BeforeEach
    void make() throws IOException {
        terms = new LeaseTerms(directory, LENGTH_MILLIS);
        LeaseAttempts attempts = new LeaseAttempts();
        DynamoDbAsyncClient client = (DynamoDbAsyncClient) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {DynamoDbAsyncClient.class}, (proxy, method, arguments) -> {
                    assertEquals("updateItem", method.getName());
                    updates.incrementAndGet();
                    return CompletableFuture.completedFuture(UpdateItemResponse.builder().build());
                });
        leases = new FleetLeaseRefresher("table", LeaseTableClient.of(client, attempts, terms, LENGTH_MILLIS),
                new DynamoDBLeaseSerializer(), true, TableCreatorCallback.NOOP_TABLE_CREATOR_CALLBACK, Duration.ofSeconds(60),
                new DdbTableConfig(), false, false, List.of(), null, terms, attempts,
                new LeaseTableHealth("table", client, new OutageRow(client, "tasks", "worker")), () -> {});
        lease = new Lease();
        lease.leaseKey("shard");
        lease.leaseOwner("worker");
        lease.leaseCounter(7L);
        lease.checkpoint(new ExtendedSequenceNumber("100"));
        lease.ownerSwitchesSinceCheckpoint(0L);
    }

    /** @param part of a term's length: how long ago its lease's counter was moved */
    private void moved(double part) {
        long millis = (long) (part * LENGTH_MILLIS);
        terms.begin("shard", new LeaseTerms.Moment(
                System.currentTimeMillis() - millis, System.nanoTime() - millis * 1_000_000), false);
    }

    @Test
    void aRenewalSoonAfterTheCounterWasMovedIsLeftOut() throws Exception {
        moved(0.04);
        assertTrue(leases.renewLease(lease));
        assertEquals(0, updates.get());
        assertEquals(7, lease.leaseCounter());
    }

    @Test
    void laterItIsMadeAndMovesTheTermOn() throws Exception {
        moved(0.06);
        assertTrue(leases.renewLease(lease));
        assertEquals(1, updates.get());
        assertEquals(8, lease.leaseCounter());
        assertTrue(terms.isFresh(terms.of("shard")));
        assertTrue(leases.renewLease(lease));
        assertEquals(1, updates.get());
    }

    @Test
    void aCheckpointCountsAsARenewal() throws Exception {
        moved(0.3);
        assertTrue(leases.updateLease(lease));
        assertTrue(leases.renewLease(lease));
        assertEquals(1, updates.get());
    }

    @Test
    void withoutATermItIsAlwaysMade() throws Exception {
        assertTrue(leases.renewLease(lease));
        assertEquals(1, updates.get());
        assertEquals(8, lease.leaseCounter());
    }
}
