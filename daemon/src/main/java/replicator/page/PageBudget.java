package replicator.page;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/** Bounds the bytes of all pages that a process keeps: the oldest go first. Not for several threads. */
final class PageBudget {
    private final Map<SharedPage, Runnable> kept = new LinkedHashMap<>(); // pages are equal to none but themselves
    private long bytes;

    /** @param drop called once, where it is kept no longer and nobody has asked for that */
    void add(SharedPage page, Runnable drop) {
        kept.put(page, drop);
        bytes += page.bytes();
    }

    void remove(SharedPage page) {
        if (kept.remove(page) != null) {
            bytes -= page.bytes();
        }
    }

    /** Drops what is more than {@code mostBytes}, and all that was read before {@code oldestNanos}. */
    void trim(long mostBytes, long oldestNanos) {
        Iterator<Map.Entry<SharedPage, Runnable>> oldest = kept.entrySet().iterator();
        while (oldest.hasNext()) {
            Map.Entry<SharedPage, Runnable> each = oldest.next();
            if (bytes <= mostBytes && each.getKey().readNanos() - oldestNanos >= 0) {
                return;
            }
            oldest.remove();
            bytes -= each.getKey().bytes();
            each.getValue().run();
        }
    }

    long bytes() {
        return bytes;
    }
}
