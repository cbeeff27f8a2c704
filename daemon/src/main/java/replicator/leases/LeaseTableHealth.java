package replicator.leases;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import replicator.log.Event;
import replicator.log.Outage;
import replicator.rows.OutageRow;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.DescribeTableRequest;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbException;
import software.amazon.awssdk.services.dynamodb.model.TableDescription;

/**
 * Says that the lease table can't be used, and what a person may do about it: {@code checkpoints_unusable}, two seconds
 * after the first failure that no success followed, then ever more rarely.
 *
 * <p>KCL passes over most failures of its calls in silence: a throttled renewal counts as not done, a throttled scan as no
 * lease to take.
 */
final class LeaseTableHealth {
    /** What passes by itself meanwhile is not worth a line. */
    private static final long SAID_AFTER_MILLIS = 2_000;

    /** Of a lease that is no longer ours there is neither failure nor success. */
    private static final long FORGOTTEN_AFTER_MILLIS = 60_000;

    private static final long DESCRIBED_AGAIN_AFTER_MILLIS = 60_000;
    private static final Duration DESCRIBE_TIMEOUT = Duration.ofSeconds(2);

    private static final String ON_DEMAND_REMEDY = "It is on demand, so either its own maximum or the account's quota is "
            + "reached, or other writers use it up: raise the maximum or the quota.";

    private static final Logger LOG = LoggerFactory.getLogger(LeaseTableHealth.class);

    private final String table;
    private final DynamoDbAsyncClient client;
    private final OutageRow row;

    /** By shard: the last call about its lease, if that failed; under the empty name the last one about all leases. */
    private final Map<String, Failing> failing = new ConcurrentHashMap<>();
    private final Outage outage = new Outage("checkpoints_unusable", "The checkpoint table can't be used",
            "Shards whose leases can't be renewed are given up when these are over, and taken again when it can be.",
            "The checkpoint table can be used again");
    private volatile TableDescription described;
    private volatile long describedAtMillis;

    private static final class Failing {
        private final String operation;
        private final long sinceMillis;
        private final long lastMillis;
        private final Exception error;

        private Failing(String operation, long sinceMillis, long lastMillis, Exception error) {
            this.operation = operation;
            this.sinceMillis = sinceMillis;
            this.lastMillis = lastMillis;
            this.error = error;
        }
    }

    /**
     * @param client asked for the table's capacity where a call fails
     * @param row written while it is so
     */
    LeaseTableHealth(String table, DynamoDbAsyncClient client, OutageRow row) {
        this.table = table;
        this.client = client;
        this.row = row;
    }

    /** @param shardId of the lease; empty for a call about all of them */
    void works(String shardId) {
        failing.remove(shardId);
    }

    void fails(String operation, String shardId, Exception error) {
        long now = System.currentTimeMillis();
        failing.compute(shardId, (key, before) ->
                new Failing(operation, before == null ? now : before.sinceMillis, now, error));
        describe(now);
    }

    /** Whether the last call about all leases failed. */
    boolean isScanFailing() {
        return failing.containsKey("");
    }

    /** To be called every second or so; nothing keeps the next call from coming. */
    void look() {
        try {
            lookAndSay();
        } catch (RuntimeException e) {
            LOG.debug("The lease table's health can't be said", e);
        }
    }

    private void lookAndSay() {
        long now = System.currentTimeMillis();
        failing.values().removeIf(each -> now - each.lastMillis > FORGOTTEN_AFTER_MILLIS);
        Failing worst = null;
        for (Failing each : failing.values()) {
            worst = worst == null || each.sinceMillis < worst.sinceMillis ? each : worst;
        }
        if (worst == null) {
            outage.succeeded();
            row.remove();
        } else if (now - worst.sinceMillis >= SAID_AFTER_MILLIS) {
            say(worst);
        }
    }

    private void say(Failing worst) {
        DynamoDbException answer = answer(worst.error);
        Exception error = answer == null ? root(worst.error) : answer;
        TableDescription found = described;
        String remedy = remedy(code(answer), found);
        outage.failed(error, worst.sinceMillis, event -> withCapacity(event.with("table", table).with("operations", operations())
                .with("leases", failing.keySet().stream().filter(shardId -> !shardId.isEmpty()).count()), found), remedy);
        row.write(worst.sinceMillis, operations() + ": " + error.getClass().getSimpleName() + ". " + remedy);
    }

    private static String code(DynamoDbException answer) {
        return answer == null || answer.awsErrorDetails() == null ? null : answer.awsErrorDetails().errorCode();
    }

    private String operations() {
        return failing.values().stream().map(each -> each.operation).distinct().sorted().collect(Collectors.joining(","));
    }

    private static Event withCapacity(Event event, TableDescription table) {
        return table == null ? event : event
                .with("billing_mode", billingMode(table))
                .with("read_units", units(table.provisionedThroughput().readCapacityUnits()))
                .with("write_units", units(table.provisionedThroughput().writeCapacityUnits()));
    }

    /** Null on demand, where DynamoDB says 0. */
    private static Long units(Long provisioned) {
        return provisioned == null || provisioned == 0 ? null : provisioned;
    }

    private static String billingMode(TableDescription table) {
        return table.billingModeSummary() == null
                ? BillingMode.PROVISIONED.toString() : table.billingModeSummary().billingModeAsString();
    }

    private String remedy(String code, TableDescription table) {
        if (code == null) {
            return "Look at the way to kclEndpoint, or kclRegion's own, from this machine.";
        }
        switch (code) {
            case "ProvisionedThroughputExceededException":
            case "ThrottlingException":
            case "RequestLimitExceeded":
                if (table != null && BillingMode.PAY_PER_REQUEST.toString().equals(billingMode(table))) {
                    return ON_DEMAND_REMEDY;
                }
                return "It is throttled: raise its capacity, or set it to on demand: aws dynamodb update-table "
                        + "--table-name " + this.table + " --billing-mode PAY_PER_REQUEST. A shard takes about one write "
                        + "unit a second for its lease, and one for each batch that it checkpoints.";
            case "AccessDeniedException":
                return "Allow these calls on it: the command policy prints all that are needed.";
            case "ResourceNotFoundException":
                return "It is gone: stop all daemons of the task and start them; they make it anew and begin with the stream's "
                        + "oldest record.";
            default:
                return "If it stays so, look up the error's code.";
        }
    }

    /** Without the table's capacity the message is no worse than that. */
    private void describe(long now) {
        if (now - describedAtMillis < DESCRIBED_AGAIN_AFTER_MILLIS) {
            return;
        }
        describedAtMillis = now;
        try {
            client.describeTable(DescribeTableRequest.builder().tableName(table)
                            .overrideConfiguration(c -> c.apiCallTimeout(DESCRIBE_TIMEOUT)).build())
                    .thenAccept(response -> described = response.table());
        } catch (RuntimeException e) {
            described = null;
        }
    }

    private static DynamoDbException answer(Throwable error) {
        for (Throwable each = error; each != null; each = each.getCause()) {
            if (each instanceof DynamoDbException) {
                return (DynamoDbException) each;
            }
        }
        return null;
    }

    private static Exception root(Exception error) {
        Throwable cause = error;
        while (cause.getCause() instanceof Exception) {
            cause = cause.getCause();
        }
        return (Exception) cause;
    }
}
