package replicator.leases;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Remembers updates of lease rows that nobody waits for any longer, because one of them may still have been done.
 *
 * <p>Each update has the row's counter as its condition and adds one to it, so of all updates at one counter at most one is
 * done. It may be one whose answer never came.
 */
final class LeaseAttempts {
    /** By the lease's key: the attempts at the counter that this daemon last knew. */
    private final Map<String, AtCounter> attempts = new ConcurrentHashMap<>();

    private static final class AtCounter {
        private final long counter;
        private final LeaseTerms.Moment first;
        private LeaseTerms.Moment landed;
        private int open;

        private AtCounter(long counter, LeaseTerms.Moment first) {
            this.counter = counter;
            this.first = first;
        }
    }

    /** Notes that an update is about to be sent. */
    void begin(String shardId, long counter, LeaseTerms.Moment asked) {
        attempts.compute(shardId, (id, found) -> {
            AtCounter those = found == null || found.counter != counter ? new AtCounter(counter, asked) : found;
            those.open++;
            return those;
        });
    }

    /** Notes that an update was done: the row's counter has moved on from {@code counter}. */
    void landed(String shardId, long counter, LeaseTerms.Moment asked) {
        close(shardId, counter, asked);
    }

    /** Notes that an update was refused, or is not waited for any longer; it may yet be done. */
    void failed(String shardId, long counter) {
        close(shardId, counter, null);
    }

    private void close(String shardId, long counter, LeaseTerms.Moment landed) {
        attempts.computeIfPresent(shardId, (id, those) -> {
            if (those.counter == counter) {
                those.open--;
                those.landed = landed == null ? those.landed : landed;
            }
            return those;
        });
    }

    /** To be called when the counter that this daemon knows has moved on, by an update of its own or not. */
    void forget(String shardId) {
        attempts.remove(shardId);
    }

    /** How many updates at this counter wait for their answers. */
    int open(String shardId, long counter) {
        int[] open = {0};
        attempts.computeIfPresent(shardId, (id, those) -> {
            open[0] = those.counter == counter ? those.open : 0;
            return those;
        });
        return open[0];
    }

    /** The moment before the update was asked for that moved the row on from {@code counter}; null if none is known to have. */
    LeaseTerms.Moment landedAt(String shardId, long counter) {
        LeaseTerms.Moment[] landed = {null};
        attempts.computeIfPresent(shardId, (id, those) -> {
            landed[0] = those.counter == counter ? those.landed : null;
            return those;
        });
        return landed[0];
    }

    /** The moment before the first update at this counter was asked for, which may be the one that was done. */
    LeaseTerms.Moment firstAt(String shardId, long counter) {
        AtCounter those = attempts.get(shardId);
        return those == null || those.counter != counter ? null : those.first;
    }
}
