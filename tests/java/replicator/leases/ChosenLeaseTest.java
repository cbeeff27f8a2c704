package replicator.leases;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseTaker;
import software.amazon.kinesis.metrics.NullMetricsFactory;

/** What KCL's own taker makes of leases that were chosen: it takes these, whatever its count says, and no other. */
class ChosenLeaseTest {
    private static final long FAILOVER_MILLIS = 5_000;

    private final List<Lease> rows = new ArrayList<>();
    private final Set<String> asked = new TreeSet<>();
    private Predicate<Lease> isChosen = lease -> false;

    private final DynamoDBLeaseTaker taker =
            new DynamoDBLeaseTaker(refresher(), "me", FAILOVER_MILLIS, new NullMetricsFactory())
                    .withEnablePriorityLeaseAssignment(true);

    /** As {@link FleetLeaseRefresher} does both. */
    private LeaseRefresher refresher() {
        return (LeaseRefresher) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {LeaseRefresher.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("listLeases")) {
                        List<Lease> found = new ArrayList<>();
                        rows.forEach(row -> found.add(new ChosenLease(row, isChosen.test(row), row.leaseOwner() != null)));
                        return found;
                    }
                    asked.add(((ChosenLease) arguments[0]).leaseKey());
                    if (method.getName().equals("takeLease") && ((ChosenLease) arguments[0]).isChosen()) {
                        ChosenLease lease = (ChosenLease) arguments[0];
                        lease.becomesOurs();
                        rows.stream().filter(row -> row.leaseKey().equals(lease.leaseKey())).forEach(row -> row.leaseOwner("me"));
                        return true;
                    }
                    return false;
                });
    }

    private void row(String shardId, String owner) {
        Lease lease = new Lease();
        lease.leaseKey(shardId);
        lease.leaseOwner(owner);
        lease.leaseCounter(1L);
        rows.add(lease);
    }

    @Test
    void nothingIsTakenThatIsNotChosen() throws Exception {
        row("a", "other");
        row("b", "other");
        row("c", null);
        for (int look = 0; look < 3; look++) {
            assertEquals(Map.of(), taker.takeLeases());
        }
        assertFalse(asked.contains("c")); // it may ask for one of another's, to be even, and is refused
    }

    /** One of a living owner, and more than this one's share. */
    @Test
    void allThatAreChosenAreTakenAtOnce() throws Exception {
        row("a", "other");
        row("b", "other");
        row("c", null);
        row("d", "me");
        row("e", "third");
        isChosen = lease -> Set.of("a", "b", "c").contains(lease.leaseKey());
        assertEquals(Set.of("a", "b", "c"), taker.takeLeases().keySet());
        isChosen = lease -> false;
        assertEquals(Map.of(), taker.takeLeases());
    }

    /** KCL renews a copy of it, and loses it as soon as its time is too long ago. */
    @Test
    void whatIsTakenIsAsFreshAsKclSays() throws Exception {
        row("a", "other");
        isChosen = lease -> true;
        Lease taken = taker.takeLeases().get("a").copy();
        assertFalse(taken.isExpired(TimeUnit.MILLISECONDS.toNanos(FAILOVER_MILLIS), System.nanoTime()));
        assertTrue(System.nanoTime() - taken.lastCounterIncrementNanos() < TimeUnit.MINUTES.toNanos(1));
    }
}
