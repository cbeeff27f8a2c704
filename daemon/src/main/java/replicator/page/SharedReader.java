package replicator.page;

import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import software.amazon.awssdk.core.exception.AbortedException;

/** One task's part in {@link SharedReads}. */
final class SharedReader implements AutoCloseable {
    /** For another's answer. A usual one takes some milliseconds; nobody is to hang where one hangs. */
    private static final long MOST_WAIT_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final SharedReads reads;
    private final Object identity;
    private final long mostBytes;
    private final LongSupplier nanos;

    SharedReader(SharedReads reads, Object identity, long mostBytes, LongSupplier nanos) {
        this.reads = reads;
        this.identity = identity;
        this.mostBytes = mostBytes;
        this.nanos = nanos;
    }

    Object identity() {
        return identity;
    }

    long mostBytes() {
        return mostBytes;
    }

    /**
     * What follows a place of a shard.
     *
     * @param freshNanos how old a page of another's without records may be
     * @param own reads it; what it throws is thrown
     */
    SharedPage read(Position position, long freshNanos, Supplier<SharedPage> own) {
        long latest = nanos.getAsLong() + MOST_WAIT_NANOS;
        while (true) {
            SharedTurn turn = reads.begin(this, position, freshNanos, latest - nanos.getAsLong() > 0);
            if (turn == null) {
                return own.get();
            }
            if (turn.own() != null) {
                return read(turn, own);
            }
            SharedPage found = turn.page() != null ? turn.page() : awaited(turn, latest);
            if (found != null) {
                return found;
            }
        }
    }

    private SharedPage read(SharedTurn turn, Supplier<SharedPage> own) {
        SharedPage found = null;
        try {
            found = own.get();
            return found;
        } finally {
            reads.end(this, turn, found);
            turn.own().complete(found != null && found.isSharable() ? found : null);
        }
    }

    /** Another's page; null where there is none, or not yet. */
    private SharedPage awaited(SharedTurn turn, long latest) {
        try {
            SharedPage found = turn.others().get(Math.max(0, latest - nanos.getAsLong()), TimeUnit.NANOSECONDS);
            if (found == null) {
                return null;
            }
            reads.has(this, turn.shard(), found);
            return found.handedOn(nanos.getAsLong());
        } catch (InterruptedException e) { // as the SDK has it
            Thread.currentThread().interrupt();
            throw AbortedException.create("A read of the stream was given up while it waited for another's");
        } catch (TimeoutException e) {
            return null;
        } catch (ExecutionException | CancellationException e) {
            throw new IllegalStateException("A shared read ends with a page or without one", e);
        }
    }

    /** It will ask for what follows a place: pages from there on are kept for it. */
    void willRead(Position position) {
        reads.isAt(this, position);
    }

    /** The task reads no more. */
    @Override
    public void close() {
        reads.left(this);
    }
}
