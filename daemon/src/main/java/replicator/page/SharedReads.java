package replicator.page;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The reads that several tasks of one process share, where they read one stream as one and the same: who asks for what follows
 * a place of a shard gets the page that another got there, or is just getting.
 *
 * <pre>
 *   task A   read ├────┤ rest                ├────┤ rest
 *   task B         ┌───┤ the same page, rest ├────┤ the same page, rest
 *   task C   away               ├──┤├──┤├──┤  reads by itself until it is where A or B has just read
 * </pre>
 *
 * <p>Answers are shared, failures never: who waits for a read of another's that fails reads by itself. A task that is behind or
 * away holds nobody. Pages are kept for those that are on their way to them, within a bound; in a shard's first minute here also
 * for those that are still to begin, as far as there is room: a daemon begins its tasks one after the other.
 */
public final class SharedReads {
    /** A page's next iterator lasts for 15 minutes (Streams API reference, GetShardIterator). */
    private static final long KEPT_NANOS = TimeUnit.MINUTES.toNanos(5);

    /** Fifty tasks have begun within half a minute, on two cores. */
    private static final long TO_COME_NANOS = TimeUnit.SECONDS.toNanos(60);

    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final LongSupplier nanos;
    private final Executor later;
    private final long toComeNanos;
    private final Map<Object, Stream> streams = new HashMap<>();
    private final PageBudget budget = new PageBudget();
    private long mostBytes;
    private long lookedAt;
    private boolean looksLater;

    /** A stream, as it is read with one identity. */
    private static final class Stream {
        private final Map<String, SharedShard> shards = new HashMap<>();
        private final Set<SharedReader> readers = new HashSet<>();
        private final long begunNanos;

        Stream(long begunNanos) {
            this.begunNanos = begunNanos;
        }
    }

    public SharedReads() {
        this(System::nanoTime, CompletableFuture.delayedExecutor(SharedShard.AWAY_NANOS, TimeUnit.NANOSECONDS), TO_COME_NANOS);
    }

    /**
     * @param nanos the clock, as {@code System.nanoTime} is one
     * @param later does what it is told when who was here is away
     * @param toComeNanos for how long, from a shard's first read here, tasks may be to begin that will read it, too
     */
    SharedReads(LongSupplier nanos, Executor later, long toComeNanos) {
        this.nanos = nanos;
        this.later = later;
        this.toComeNanos = toComeNanos;
        this.lookedAt = nanos.getAsLong();
    }

    /**
     * One more task's part in it, until it is closed.
     *
     * @param identity equal for two tasks only where the stream answers both alike: its ARN, its endpoint, and as whom they read
     * @param bytes of pages that may be kept; of all tasks there are, the greatest number holds
     */
    synchronized SharedReader reader(Object identity, long bytes) {
        SharedReader reader = new SharedReader(this, identity, bytes, nanos);
        streams.computeIfAbsent(identity, each -> new Stream(nanos.getAsLong())).readers.add(reader);
        bound();
        return reader;
    }

    synchronized void left(SharedReader reader) {
        Stream stream = streams.get(reader.identity());
        if (stream == null || !stream.readers.remove(reader)) {
            return;
        }
        for (SharedShard shard : stream.shards.values()) {
            shard.left(reader);
            forget(stream.readers.isEmpty() ? shard.all() : shard.passed(nanos.getAsLong()));
        }
        if (stream.readers.isEmpty()) {
            streams.remove(reader.identity());
        }
        bound();
    }

    private void bound() {
        mostBytes = streams.values().stream().flatMap(each -> each.readers.stream())
                .mapToLong(SharedReader::mostBytes).max().orElse(0);
        trim();
    }

    /** A reader is at a place: null where no other task reads its stream, or is to be expected. */
    synchronized SharedShard isAt(SharedReader reader, Position position) {
        Stream stream = streams.get(reader.identity());
        long now = nanos.getAsLong();
        if (stream == null || (stream.readers.size() < 2 && now - stream.begunNanos >= toComeNanos)) {
            return null;
        }
        SharedShard shard = stream.shards.computeIfAbsent(position.shardId(), each -> new SharedShard(now, toComeNanos));
        shard.isAt(reader, position.isKnown() ? position.after() : Position.OLDEST, now);
        return shard;
    }

    /**
     * A reader asks for what follows a place.
     *
     * @param freshNanos how old an empty page may be
     * @param mayWait whether it may be another's read that is waited for
     * @return null where no other task reads this stream, or is to be expected
     */
    synchronized SharedTurn begin(SharedReader reader, Position position, long freshNanos, boolean mayWait) {
        long now = nanos.getAsLong();
        look(now);
        SharedShard shard = isAt(reader, position);
        if (shard == null) {
            return null;
        }
        if (!position.isKnown()) {
            return SharedTurn.own(shard, position);
        }
        SharedPage known = shard.known(position.after(), freshNanos, now);
        if (known != null) {
            has(reader, shard, known);
            return SharedTurn.known(shard, position, known);
        }
        CompletableFuture<SharedPage> underWay = mayWait ? shard.underWay(position.after()) : null;
        if (underWay != null) {
            return SharedTurn.awaited(shard, position, underWay);
        }
        SharedTurn turn = SharedTurn.own(shard, position);
        shard.begun(position.after(), turn.own());
        return turn;
    }

    /**
     * The end of a read that {@link #begin} has asked for.
     *
     * @param found null where it failed
     */
    synchronized void end(SharedReader reader, SharedTurn turn, SharedPage found) {
        if (turn.position().isKnown()) {
            turn.shard().ended(turn.position().after(), turn.own());
        }
        if (found != null && found.isSharable()) {
            learn(turn.shard(), turn.position(), found);
            has(reader, turn.shard(), found);
        }
    }

    private void learn(SharedShard shard, Position position, SharedPage found) {
        if (found.isEmpty()) {
            if (position.isKnown()) {
                shard.foundNone(position.after(), found);
            }
        } else if (found.isInOrder(position.isKnown() ? position.after() : Position.OLDEST)) {
            String place = position.isKnown() ? position.after() : found.first();
            boolean isKept = shard.isWanted(found) ? budget.makeRoom(found, shard, mostBytes)
                    : shard.isExpecting(nanos.getAsLong()) && budget.hasRoom(found, mostBytes);
            if (isKept) {
                budget.remove(shard.keep(place, found));
                budget.add(found, shard);
                lookLater();
            }
        }
    }

    /** A reader has got a page. */
    synchronized void has(SharedReader reader, SharedShard shard, SharedPage page) {
        if (!page.isEmpty()) {
            shard.isAt(reader, page.last(), nanos.getAsLong());
            forgetPassed(shard);
        }
    }

    private void forgetPassed(SharedShard shard) {
        forget(shard.passed(nanos.getAsLong()));
    }

    private void forget(List<SharedPage> pages) {
        pages.forEach(budget::remove);
    }

    private void trim() {
        budget.trim(mostBytes, nanos.getAsLong() - KEPT_NANOS);
    }

    private void look(long now) {
        if (now - lookedAt >= LOOK_NANOS) {
            lookNow(now);
        }
    }

    private void lookNow(long now) {
        lookedAt = now;
        trim();
        for (Stream stream : streams.values()) {
            for (SharedShard shard : stream.shards.values()) {
                shard.look(now);
                forgetPassed(shard);
            }
            stream.shards.values().removeIf(SharedShard::isQuiet);
        }
    }

    /** Pages go though nobody reads any more. */
    private void lookLater() {
        if (!looksLater && budget.bytes() > 0) {
            looksLater = true;
            later.execute(this::looksNow);
        }
    }

    private synchronized void looksNow() {
        looksLater = false;
        lookNow(nanos.getAsLong());
        lookLater();
    }

    /** Of all pages that are kept now. */
    synchronized long bytes() {
        return budget.bytes();
    }
}
