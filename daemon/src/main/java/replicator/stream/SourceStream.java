package replicator.stream;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import replicator.process.Exit;
import replicator.rows.LastCopy;
import replicator.rows.LossRows;
import replicator.rows.TaskTable;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** Makes the source stream's client, and the parts that decide which of its answers are believed. */
public final class SourceStream {
    private final StreamListings listings;
    private final Losses losses;
    private final LongSupplier clock = () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    private final StreamEnd end;
    private final GuardedStreamsClient guarded;

    /**
     * @param copy which makes lost changes good
     * @param copiesLosses whether the task's caretaker copies the table again where changes are lost
     */
    public SourceStream(
            DynamoDbStreamsClient client,
            String trueArn,
            SourceTable table,
            TaskTable taskTable,
            LastCopy copy,
            boolean copiesLosses,
            Exit exit) {
        listings = new StreamListings(client, trueArn);
        Absence absence = new Absence(listings, trueArn, table::isWithoutStream, clock);
        losses = new Losses(new LossRows(taskTable), copy, copiesLosses);
        end = new StreamEnd(trueArn);
        guarded = new GuardedStreamsClient(client, trueArn, listings, absence, losses, exit);
    }

    public GuardedStreamsClient client() {
        return guarded;
    }

    public StreamListings listings() {
        return listings;
    }

    public Losses losses() {
        return losses;
    }

    /** Milliseconds that never go back. */
    public LongSupplier clock() {
        return clock;
    }

    /** From now on, a read that takes long is said while it does. */
    public void watchReads() {
        guarded.watchReads();
    }

    /** The end of one shard. */
    public ShardEnd endOf(String shardId) {
        return new ShardEnd(guarded, guarded::listing, end, shardId);
    }
}
