package replicator.start;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import replicator.process.TaskThreads;
import software.amazon.awssdk.services.dynamodb.model.ResourceInUseException;
import software.amazon.kinesis.coordinator.CoordinatorStateDAO;
import software.amazon.kinesis.coordinator.migration.ClientVersion;
import software.amazon.kinesis.coordinator.migration.MigrationState;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.lifecycle.TaskResult;
import software.amazon.kinesis.multilang.config.KclConfiguration;

/** Makes KCL's own tables ready before KCL starts. */
public final class KclTables {
    private static final long TABLE_TIMEOUT_SECONDS = 600;

    private final KclConfiguration kcl;
    private final String workerId;
    private final StartWatch start;

    public KclTables(KclConfiguration kcl, String workerId, StartWatch start) {
        this.kcl = kcl;
        this.workerId = workerId;
        this.start = start;
    }

    /**
     * Creates the tables and the first leases, polling every second, while the caller goes on. KCL alone would wait a
     * random 1 to 30 s before the first leases, and poll for its tables every 10 s.
     *
     * <p>On threads of the task's: it may take for ever, and Java's common pool is all tasks'.
     *
     * @param makeLeases makes the leases that shards lack, as KCL's shard sync does
     * @param countsLeases whether the fleet is to stay on KCL's lease counting
     */
    public CompletableFuture<Void> prepare(LeaseRefresher leases, Callable<TaskResult> makeLeases, boolean countsLeases) {
        Executor threads = TaskThreads.pool("kcl-tables");
        CompletableFuture<Void> leaseTable = CompletableFuture.runAsync(() -> prepareLeases(leases, makeLeases), threads);
        return countsLeases
                ? CompletableFuture.allOf(leaseTable, CompletableFuture.runAsync(this::pinLeaseCounting, threads))
                : leaseTable;
    }

    private void prepareLeases(LeaseRefresher leases, Callable<TaskResult> makeLeases) {
        try {
            start.until(() -> makeTable(leases));
            start.until(() -> leases.isLeaseTableEmpty() ? made(makeLeases.call()) : null);
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }

    /** Looks first: who may use the table need not be allowed to make it, and KCL would try where it can't look. */
    private static Void makeTable(LeaseRefresher leases) throws Exception {
        if (!leases.leaseTableExists()) {
            leases.createLeaseTableIfNotExists();
            leases.waitUntilLeaseTableExists(1, TABLE_TIMEOUT_SECONDS);
        }
        return null;
    }

    private static Void made(TaskResult result) throws Exception {
        if (result != null && result.getException() != null) {
            throw result.getException();
        }
        return null;
    }

    /**
     * Keeps the fleet on KCL's lease counting, whose dead are replaced within a few failover times. "Compatible with 2.x"
     * alone starts there too, but moves to the elected leader of 3.x after ten minutes, and a dead leader's lock holds
     * for two. A user who sets clientVersionConfig to 3.x gets KCL's own ways.
     */
    private void pinLeaseCounting() {
        CoordinatorStateDAO states = new CoordinatorStateDAO(
                kcl.leaseManagement().dynamoDBClient(),
                kcl.coordinator().coordinatorStateTableConfig());
        try {
            start.until(() -> {
                initialize(states);
                return states.createCoordinatorStateIfNotExists(
                        new MigrationState(MigrationState.MIGRATION_HASH_KEY, workerId)
                                .update(ClientVersion.CLIENT_VERSION_2X, workerId));
            });
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }

    /** KCL's own way fails where two daemons start at once and both find no table. */
    private static void initialize(CoordinatorStateDAO states) throws Exception {
        try {
            states.initialize();
        } catch (ResourceInUseException e) {
            states.initialize(); // waits until the other's table can be used
        }
    }
}
