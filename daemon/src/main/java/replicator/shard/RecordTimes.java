package replicator.shard;

import java.time.Instant;
import java.util.HashSet;
import java.util.Set;

/**
 * Whether the source rounds its records' times to the minute, so that a lag is true to a minute only; the rule is that of
 * {@code processor/dynamodb/record_times.py}.
 */
public final class RecordTimes {
    private static final long MINUTE_MILLIS = 60_000;
    private static final int ENOUGH = 3;

    private final Set<Long> minutes = new HashSet<>();
    private boolean rounded;
    private boolean exact;

    /** @param streamArn the true one: DynamoDB Local's has a region of its own */
    public RecordTimes(String streamArn) {
        rounded = streamArn.contains(":ddblocal:");
    }

    synchronized void see(Instant made) {
        if (rounded || exact) {
            return;
        }
        exact = made.toEpochMilli() % MINUTE_MILLIS != 0;
        minutes.add(made.toEpochMilli());
        rounded = !exact && minutes.size() >= ENOUGH;
    }

    synchronized boolean rounded() {
        return rounded;
    }
}
