package replicator.page;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/** Counts the bytes of all pages that a process keeps, and where each of them is. Not for several threads. */
final class PageBudget {
    private final Map<SharedPage, SharedShard> kept = new LinkedHashMap<>(); // pages are equal to none but themselves
    private long bytes;

    void add(SharedPage page, SharedShard shard) {
        kept.put(page, shard);
        bytes += page.bytes();
    }

    void remove(SharedPage page) {
        if (kept.remove(page) != null) {
            bytes -= page.bytes();
        }
    }

    /** @param mostBytes of all pages and the new one */
    boolean hasRoom(SharedPage page, long mostBytes) {
        return bytes + page.bytes() <= mostBytes;
    }

    /**
     * Makes room, if need be by pages of other shards, the oldest first. Of this shard only those go that a single reader wants,
     * the last of them first: that reader comes to the others before.
     *
     * @return whether there is room now; else what is kept has more who want it
     */
    boolean makeRoom(SharedPage page, SharedShard shard, long mostBytes) {
        while (!hasRoom(page, mostBytes)) {
            SharedPage spare = shard.dropSpare();
            if (spare == null && (spare = dropOther(shard)) == null) {
                return false;
            }
            remove(spare);
        }
        return true;
    }

    private SharedPage dropOther(SharedShard shard) {
        for (Map.Entry<SharedPage, SharedShard> each : kept.entrySet()) {
            if (each.getValue() != shard) {
                each.getValue().drop(each.getKey());
                return each.getKey();
            }
        }
        return null;
    }

    /** Drops what is more than {@code mostBytes}, and all that was read before {@code oldestNanos}. */
    void trim(long mostBytes, long oldestNanos) {
        Iterator<Map.Entry<SharedPage, SharedShard>> oldest = kept.entrySet().iterator();
        while (oldest.hasNext()) {
            Map.Entry<SharedPage, SharedShard> each = oldest.next();
            if (bytes <= mostBytes && each.getKey().readNanos() - oldestNanos >= 0) {
                return;
            }
            oldest.remove();
            bytes -= each.getKey().bytes();
            each.getValue().drop(each.getKey());
        }
    }

    long bytes() {
        return bytes;
    }
}
