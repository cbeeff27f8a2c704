package replicator.process;

import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The turns of KCL's one thread that looks after all shards: in each it begins, watches and ends them, one after the other.
 *
 * <p>Once a shard's child is ready, this thread subscribes to the shard's records and then asks for the consumer's lock. A
 * batch holds that lock while it is under way: one that was quicker, and waits for its destination, would keep all other
 * shards from beginning and ending. So the first batch of a shard waits for the next turn.
 *
 * <p>KCL takes ten turns a second, each of which looks at every shard and copies every lease. Where no shard begins or ends
 * there is nothing to do in them, so then there is one a second:
 *
 * <pre>
 *   wake()                     2 s          wake()
 *   │ a turn after each of KCL's pauses │ one a second │ at once, …
 * </pre>
 *
 * <p>A shard that begins keeps the turns awake for ten seconds at most, in each of two steps. It may have to wait for hours
 * for its parent to be read; who sees that end calls {@link #wake()}.
 */
public final class DispatchTurns {
    /** KCL takes several turns to begin or end a shard, each soon after the one before. */
    private static final long AWAKE_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final long REST_MILLIS = 1_000;

    /** Longer than a healthy shard takes to begin, its last owner's lease included. */
    private static final long BEGINNING_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Thread thread;
    private final LongSupplier nanos;

    /** Shards that are about to begin, and since when. KCL forgets some of them without a word, and so does this map. */
    private final Map<Object, Long> beginning = new WeakHashMap<>();

    private long turn;
    private long wakes;
    private long wokenNanos;
    private boolean stopping;

    /** @param thread KCL's */
    public DispatchTurns(Thread thread) {
        this(thread, System::nanoTime);
    }

    /** @param nanos the clock, as {@code System.nanoTime} is one */
    public DispatchTurns(Thread thread, LongSupplier nanos) {
        this.thread = thread;
        this.nanos = nanos;
        this.wokenNanos = nanos.getAsLong();
    }

    /** Called by KCL's thread at the begin of each turn; other threads may do what it does, and begin none. */
    public synchronized void begin() {
        if (Thread.currentThread() == thread) {
            rest();
            turn++;
            notifyAll();
        }
    }

    private void rest() {
        long until = nanos.getAsLong() + TimeUnit.MILLISECONDS.toNanos(REST_MILLIS);
        try {
            while (!isAwake()) {
                long left = TimeUnit.NANOSECONDS.toMillis(until - nanos.getAsLong());
                if (left <= 0) {
                    return;
                }
                wait(left);
            }
        } catch (InterruptedException e) { // KCL's own pause meets it again
            Thread.currentThread().interrupt();
        }
    }

    /** Whether a lease or a shard has just come or gone, or is about to. */
    public synchronized boolean isAwake() {
        long now = nanos.getAsLong();
        return turn == 0 || stopping || now - wokenNanos < AWAKE_NANOS
                || beginning.values().stream().anyMatch(since -> now - since < BEGINNING_NANOS);
    }

    /** How often there was something to do so far: who looks seldom sees by it that there was something in between. */
    public synchronized long wakes() {
        return wakes;
    }

    /** There is something to do, or soon will be: a lease has come or gone, a shard has ended. */
    public synchronized void wake() {
        wokenNanos = nanos.getAsLong();
        wakes++;
        notifyAll();
    }

    /** As {@link #wake()}, until the shard has begun, nobody knows it any more, or ten seconds are over. */
    public synchronized void begins(Object shard) {
        beginning.put(shard, nanos.getAsLong());
        wake();
    }

    /** The shard has begun, or never will. */
    public synchronized void begun(Object shard) {
        beginning.remove(shard);
        wake();
    }

    /** All shards are about to end: no turn waits from now on. */
    public synchronized void stop() {
        stopping = true;
        notifyAll();
    }

    /** Returns when the next turn has begun. */
    public synchronized void awaitNext() throws InterruptedException {
        wake();
        long now = turn;
        while (turn == now) {
            wait();
        }
    }
}
