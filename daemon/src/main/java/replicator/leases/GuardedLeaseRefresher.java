package replicator.leases;

import java.time.Duration;
import java.util.Collection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.Tag;
import software.amazon.kinesis.common.DdbTableConfig;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseSerializer;
import software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseRefresher;
import software.amazon.kinesis.leases.dynamodb.TableCreatorCallback;
import software.amazon.kinesis.leases.exceptions.DependencyException;
import software.amazon.kinesis.leases.exceptions.InvalidStateException;
import software.amazon.kinesis.leases.exceptions.ProvisionedThroughputException;

/** Reads and writes the lease table, and removes a lease only if {@link LeaseGate} allows it. All users of the table use one. */
class GuardedLeaseRefresher extends DynamoDBLeaseRefresher {
    private static final Logger LOG = LoggerFactory.getLogger(GuardedLeaseRefresher.class);

    private final LeaseGate gate;
    private final Runnable changed;

    /** @param changed is told of each lease that comes into being, to be taken soon */
    GuardedLeaseRefresher(
            String table,
            DynamoDbAsyncClient client,
            LeaseSerializer serializer,
            boolean consistentReads,
            TableCreatorCallback tableCreated,
            Duration requestTimeout,
            DdbTableConfig tableConfig,
            boolean deletionProtection,
            boolean pointInTimeRecovery,
            Collection<Tag> tags,
            LeaseGate gate,
            Runnable changed) {
        super(table, client, serializer, consistentReads, tableCreated, requestTimeout, tableConfig, deletionProtection,
                pointInTimeRecovery, tags);
        this.gate = gate;
        this.changed = changed;
    }

    @Override
    public boolean createLeaseIfNotExists(Lease lease)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        boolean created = super.createLeaseIfNotExists(lease);
        if (created) {
            changed.run();
        }
        return created;
    }

    @Override
    public final void deleteLease(Lease lease)
            throws DependencyException, InvalidStateException, ProvisionedThroughputException {
        Lease stored = getLease(lease.leaseKey());
        if (stored != null && gate.mayRemove(stored, this::isFinished)) {
            super.deleteLease(lease);
        } else {
            LOG.debug("The lease of shard {} stays", lease.leaseKey());
        }
    }

    /** Nobody asks for that. */
    @Override
    public final void deleteAll() {
        throw new UnsupportedOperationException("BUG: all leases were to be removed");
    }

    private boolean isFinished(String shardId) {
        try {
            Lease lease = getLease(shardId);
            return lease != null && FleetLeaseRefresher.isFinished(lease);
        } catch (DependencyException | InvalidStateException | ProvisionedThroughputException e) {
            LOG.debug("The lease of shard {} can't be read", shardId, e);
            return false;
        }
    }
}
