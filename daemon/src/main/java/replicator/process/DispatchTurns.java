package replicator.process;

/**
 * The turns of KCL's one thread that looks after all shards: in each it begins, watches and ends them, one after the other.
 *
 * <p>Once a shard's child is ready, this thread subscribes to the shard's records and then asks for the consumer's lock. A
 * batch holds that lock while it is under way: one that was quicker, and waits for its destination, would keep all other
 * shards from beginning and ending. So the first batch of a shard waits for the next turn.
 */
public final class DispatchTurns {
    private final Thread thread;
    private long turn;

    /** @param thread KCL's */
    public DispatchTurns(Thread thread) {
        this.thread = thread;
    }

    /** Called by KCL's thread at the begin of each turn; other threads may do what it does, and begin none. */
    public synchronized void begin() {
        if (Thread.currentThread() == thread) {
            turn++;
            notifyAll();
        }
    }

    /** Returns when the next turn has begun. */
    public synchronized void awaitNext() throws InterruptedException {
        long now = turn;
        while (turn == now) {
            wait();
        }
    }
}
