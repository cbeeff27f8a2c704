package replicator.lineage;

import java.util.concurrent.TimeUnit;

/**
 * Decides how often a daemon lists the whole stream to compare it with the leases. DynamoDB allows ten calls of DescribeStream a
 * second for a stream, and a page has 100 shards: here a fleet of any size makes two calls a second at most. Half of
 * them are left to the speaker, the daemon that says what is unread; the others share the other half.
 */
final class ListingPace {
    private static final long SHARDS_A_PAGE = 100;
    private static final long SPEAKER_SECONDS = 20;
    private static final long OTHERS_SECONDS = 300;

    /** For the others while only a listing can show that some trouble is over, so that their metrics soon say so. */
    private static final long OTHERS_IN_TROUBLE_SECONDS = 60;

    private ListingPace() {}

    /**
     * From one listing to the next, in nanoseconds.
     *
     * @param shards how many the last one had
     * @param daemons how many have leases
     * @param speaks whether this daemon is the one that says what is unread
     * @param isTrouble whether the last listing found a shard without the lease that it ought to have, or an open one whose lease
     *     says that it is finished
     */
    static long nanos(int shards, int daemons, boolean speaks, boolean isTrouble) {
        long secondsOfCalls = shards / SHARDS_A_PAGE + 1;
        if (speaks) {
            return TimeUnit.SECONDS.toNanos(Math.max(SPEAKER_SECONDS, secondsOfCalls));
        }
        long least = isTrouble ? OTHERS_IN_TROUBLE_SECONDS : OTHERS_SECONDS;
        return TimeUnit.SECONDS.toNanos(Math.max(least, secondsOfCalls * daemons));
    }
}
