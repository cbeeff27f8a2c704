package replicator.page;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Counts a task's shards that are behind: those whose last page was as full as a page can be. */
public final class Backlog {
    /** A shard that was lost since its last full page says nothing any more. */
    private static final long LOST_NANOS = 10_000_000_000L;

    /** When each one's last full page came. */
    private final Map<PageFetcher, Long> full = new ConcurrentHashMap<>();

    void note(PageFetcher shard, boolean isBehind) {
        long now = System.nanoTime();
        full.values().removeIf(at -> now - at > LOST_NANOS);
        if (isBehind) {
            full.put(shard, now);
        } else {
            full.remove(shard);
        }
    }

    int shards() {
        return full.size();
    }
}
