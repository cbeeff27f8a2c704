package replicator.shard;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionException;
import replicator.Answered;
import replicator.rows.LastCopy;
import replicator.rows.LossRows;
import replicator.rows.TaskTable;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;

/**
 * Rows of the task table (GetItem): what can't be read, or isn't as Python writes it, is refused by an exception that says
 * which row and what of it.
 */
public final class RowsTarget {
    private static final Answered HTTP = new Answered();
    private static final DynamoDbAsyncClient CLIENT = DynamoDbAsyncClient.builder()
            .region(Region.US_EAST_1).credentialsProvider(Answered.KEYS).httpClient(HTTP)
            .asyncConfiguration(c -> c.advancedOption(
                    software.amazon.awssdk.core.client.config.SdkAdvancedAsyncClientOption.FUTURE_COMPLETION_EXECUTOR,
                    Runnable::run))
            .overrideConfiguration(c -> c.retryStrategy(DefaultRetryStrategy.doNotRetry())).build();
    private static final TaskTable TABLE = new TaskTable(CLIENT, "t");

    private RowsTarget() {}

    /** Loads classes, which takes longer than an input may. */
    public static void fuzzerInitialize() {
        fuzzerTestOneInput("{}".getBytes(StandardCharsets.UTF_8));
    }

    public static void fuzzerTestOneInput(byte[] data) {
        HTTP.say(data);
        read(() -> CopyGate.unfinished(TABLE.row("copy")));
        read(() -> LastCopy.of(TABLE, "arn").covers(0));
        read(() -> new LossRows(TABLE).since("shard", "1"));
        read(() -> new LossRows(TABLE).liftedSince("shard", "1"));
    }

    private static void read(Runnable call) {
        try {
            call.run();
        } catch (SdkException e) {
            return;
        } catch (CompletionException e) {
            check(e.getCause() instanceof SdkException, e);
        } catch (IllegalStateException e) {
            check(e.getMessage().startsWith("The row "), e);
        }
    }

    private static void check(boolean holds, RuntimeException found) {
        if (!holds) {
            throw found;
        }
    }
}
