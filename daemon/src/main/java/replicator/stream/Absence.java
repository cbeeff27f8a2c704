package replicator.stream;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;

/**
 * Decides whether something that was "not found" is really gone: only if looks, some seconds apart, agree.
 *
 * <p>A shard is gone where complete listings of the stream lack it. The stream is gone where DescribeStream doesn't find it
 * and the source table, asked beside it, no longer has it.
 */
final class Absence {
    private static final long APART_MILLIS = 5_000;

    /** An older suspicion is of another time. */
    private static final long FORGOTTEN_MILLIS = 300_000;

    private static final String STREAM = "";

    private final StreamListings listings;
    private final Predicate<String> isWithoutStream;
    private final String arn;
    private final LongSupplier clock;
    private final Map<String, Looks> suspected = new ConcurrentHashMap<>();

    /** When something was missed first, and last, in milliseconds. */
    private static final class Looks {
        private final long first;
        private final long last;

        Looks(long first, long last) {
            this.first = first;
            this.last = last;
        }
    }

    /**
     * @param isWithoutStream whether the source table is gone, or its stream is another one or off; throws what keeps it
     *     from knowing
     * @param clock milliseconds that never go back
     */
    Absence(StreamListings listings, String arn, Predicate<String> isWithoutStream, LongSupplier clock) {
        this.listings = listings;
        this.arn = arn;
        this.isWithoutStream = isWithoutStream;
        this.clock = clock;
    }

    /**
     * Looks once more; false where it is there, and where only a later look can tell.
     *
     * @throws RuntimeException if the stream can't be listed
     */
    boolean isGone(String shardId) {
        StreamListing listing;
        try {
            listing = listings.look();
        } catch (ResourceNotFoundException e) {
            suspected.remove(shardId);
            throw e;
        }
        suspected.remove(STREAM);
        return missed(shardId, !listing.has(shardId));
    }

    /** Looks once more whether the stream is gone, after DescribeStream didn't find it. */
    boolean streamIsGone() {
        try {
            listings.look();
            suspected.remove(STREAM);
            return false;
        } catch (ResourceNotFoundException e) {
            return missed(STREAM, isWithoutStream.test(arn));
        }
    }

    private boolean missed(String what, boolean isMissing) {
        if (!isMissing) {
            suspected.remove(what);
            return false;
        }
        long now = clock.getAsLong();
        Looks looks = suspected.merge(what, new Looks(now, now), (before, latest) ->
                now - before.last > FORGOTTEN_MILLIS ? latest : new Looks(before.first, now));
        return now - looks.first >= APART_MILLIS;
    }
}
