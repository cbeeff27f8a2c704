package replicator.page;

import java.util.Optional;

/**
 * A place in a shard: after one of its records, or before the oldest. It goes with the stream's own iterator, as a part of it
 * that the stream never sees, for an iterator doesn't say where it is, and is another one after each empty page.
 *
 * <pre>
 *   iterator of the stream \n shard \n place
 * </pre>
 *
 * <p>So nothing is to be kept for an iterator that a task has in hand, and one that is used again later still says it.
 */
final class Position {
    /** Before the oldest record; a sequence number else. */
    static final String OLDEST = "";

    private static final String UNKNOWN = "?";
    private static final char MARK = '\n';

    private final String shardId;
    private final String after;

    private Position(String shardId, String after) {
        this.shardId = shardId;
        this.after = after;
    }

    static Position after(String shardId, String sequenceNumber) {
        return new Position(shardId, sequenceNumber);
    }

    /** In a shard, it isn't known where. */
    static Position unknown(String shardId) {
        return new Position(shardId, UNKNOWN);
    }

    /** Of an iterator that {@link #in} has made; empty where it is the stream's alone. */
    static Optional<Position> of(String iterator) {
        int[] marks = marks(iterator);
        return marks == null ? Optional.empty()
                : Optional.of(new Position(iterator.substring(marks[0] + 1, marks[1]), iterator.substring(marks[1] + 1)));
    }

    /** What the stream knows of it. */
    static String withoutPosition(String iterator) {
        int[] marks = marks(iterator);
        return marks == null ? iterator : iterator.substring(0, marks[0]);
    }

    private static int[] marks(String iterator) {
        int last = iterator == null ? -1 : iterator.lastIndexOf(MARK);
        int first = last < 1 ? -1 : iterator.lastIndexOf(MARK, last - 1);
        return first < 0 ? null : new int[] {first, last};
    }

    /** @param iterator the stream's, which is there */
    String in(String iterator) {
        return shardId.indexOf(MARK) >= 0 || after.indexOf(MARK) >= 0 ? iterator : iterator + MARK + shardId + MARK + after;
    }

    String shardId() {
        return shardId;
    }

    /** {@link #OLDEST} or a sequence number; only where it is known. */
    String after() {
        return after;
    }

    boolean isKnown() {
        return !after.equals(UNKNOWN);
    }

    /** Sequence numbers by their value, whatever zeros they begin with; {@link #OLDEST} comes first. */
    static int compare(String one, String other) {
        int from = zeros(one);
        int otherFrom = zeros(other);
        int difference = Integer.compare(one.length() - from, other.length() - otherFrom);
        for (; difference == 0 && from < one.length(); from++, otherFrom++) {
            difference = Character.compare(one.charAt(from), other.charAt(otherFrom));
        }
        return difference;
    }

    private static int zeros(String number) {
        int zeros = 0;
        while (zeros < number.length() && number.charAt(zeros) == '0') {
            zeros++;
        }
        return zeros;
    }
}
