package replicator.stream;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import replicator.process.TaskThreads;

/**
 * Reports a read that is under way for long, without waiting for its end: the SDK tries five times, for up to 30 s each, before
 * a stream that hangs or drips counts as failing.
 */
final class OverdueReads {
    private static final long OVERDUE_NANOS = TimeUnit.SECONDS.toNanos(8);
    private static final long LOOK_SECONDS = 2;

    private final BiConsumer<Exception, Long> failed;
    private final Map<Object, Long> begun = new ConcurrentHashMap<>();

    /** @param failed is told, at each look, of the oldest read that is overdue, and when that was begun, in milliseconds */
    OverdueReads(BiConsumer<Exception, Long> failed) {
        this.failed = failed;
    }

    void start() {
        TaskThreads.timer("overdue-reads")
                .scheduleWithFixedDelay(this::look, LOOK_SECONDS, LOOK_SECONDS, TimeUnit.SECONDS);
    }

    <T> T watched(Supplier<T> read) {
        Object token = new Object();
        begun.put(token, System.nanoTime());
        try {
            return read.get();
        } finally {
            begun.remove(token);
        }
    }

    private void look() {
        long now = System.nanoTime();
        begun.values().stream().mapToLong(at -> now - at).filter(age -> age >= OVERDUE_NANOS).max().ifPresent(age ->
                failed.accept(new TimeoutException(
                        "no whole answer for " + TimeUnit.NANOSECONDS.toSeconds(age) + " s; it is still waited for"),
                        System.currentTimeMillis() - TimeUnit.NANOSECONDS.toMillis(age)));
    }
}
