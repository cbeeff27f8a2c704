package replicator.stream;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** Lists the stream's shards. Many callers at once share one listing: DescribeStream is limited to ten calls a second. */
public final class StreamListings {
    private static final long SHARED_NANOS = 500_000_000;

    private final DynamoDbStreamsClient stream;
    private final String arn;
    private final List<Consumer<StreamListing>> listeners = new CopyOnWriteArrayList<>();
    private StreamListing last;
    private long lastNanos;

    StreamListings(DynamoDbStreamsClient stream, String arn) {
        this.stream = stream;
        this.arn = arn;
    }

    /** @param listener is told every complete listing */
    public void tell(Consumer<StreamListing> listener) {
        listeners.add(listener);
    }

    /**
     * A listing that was begun now, or half a second ago at most.
     *
     * @throws RuntimeException if the stream can't be listed; ResourceNotFoundException where it seems to be gone
     */
    public synchronized StreamListing look() {
        if (last == null || System.nanoTime() - lastNanos > SHARED_NANOS) {
            long began = System.nanoTime();
            last = null;
            last = StreamListing.read(stream, arn);
            lastNanos = began;
            listeners.forEach(listener -> listener.accept(last));
        }
        return last;
    }
}
