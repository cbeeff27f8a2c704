package replicator.page;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * What is known of one shard to all who read it here: pages that some of them still have to come to, the last empty page at a
 * place, and reads under way. Not for several threads: {@link SharedReads} has the lock.
 *
 * <p>A reader at a place of the shard is given what another read from that very place on. Nothing else is concluded from one
 * reader's answers for another.
 */
final class SharedShard {
    /** Who has not read for so long is away, and nothing is kept for it: rests are up to 20 s. */
    static final long AWAY_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** Readers at the tip are at one place; each of the others has one of its own. */
    private static final int MOST_EMPTY = 16;

    private final long begunNanos;
    private final long toComeNanos;
    private final Map<Object, Reader> readers = new HashMap<>();
    /** By the place that each begins after; one from an unknown place by its first record. */
    private final TreeMap<String, SharedPage> pages = new TreeMap<>(Position::compare);
    private final Map<String, CompletableFuture<SharedPage>> underWay = new HashMap<>();
    private final Map<String, SharedPage> empty = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, SharedPage> eldest) {
            return size() > MOST_EMPTY;
        }
    };

    /** A place up to which a reader has all, and when it was there. */
    private static final class Reader {
        private final String place;
        private final long seenNanos;

        Reader(String place, long seenNanos) {
            this.place = place;
            this.seenNanos = seenNanos;
        }
    }

    /**
     * @param now when it is first read here
     * @param toComeNanos for how long from then on others may be to begin with it
     */
    SharedShard(long now, long toComeNanos) {
        this.begunNanos = now;
        this.toComeNanos = toComeNanos;
    }

    /**
     * What is known of a place.
     *
     * @param freshNanos how old an empty page may be
     * @return null where the stream is to be asked
     */
    SharedPage known(String place, long freshNanos, long now) {
        Map.Entry<String, SharedPage> before = pages.floorEntry(place);
        if (before != null) {
            SharedPage page = before.getValue();
            boolean beginsHere = Position.compare(before.getKey(), place) == 0 && !page.first().equals(before.getKey());
            SharedPage found = beginsHere ? page.handedOn(now) : page.after(place, now);
            if (found != null) {
                return found;
            }
        }
        SharedPage none = empty.get(place);
        return none != null && now - none.readNanos() < freshNanos ? none.handedOn(now) : null;
    }

    CompletableFuture<SharedPage> underWay(String place) {
        return underWay.get(place);
    }

    void begun(String place, CompletableFuture<SharedPage> read) {
        underWay.put(place, read);
    }

    void ended(String place, CompletableFuture<SharedPage> read) {
        underWay.remove(place, read);
    }

    /** A reader asks for what follows a place; {@link Position#OLDEST} where that isn't known. */
    void isAt(Object reader, String place, long now) {
        readers.put(reader, new Reader(place, now));
    }

    /** Whether one of the readers still has to come to the end of a page that is new. */
    boolean isWanted(SharedPage page) {
        return readers.values().stream().anyMatch(each -> Position.compare(each.place, page.last()) < 0);
    }

    /** Whether readers may be to come that want whatever there is. */
    boolean isExpecting(long now) {
        return now - begunNanos < toComeNanos;
    }

    /** A page without records. */
    void foundNone(String place, SharedPage page) {
        empty.remove(place); // the last one is the youngest
        empty.put(place, page);
    }

    /**
     * @param place after which the page begins, or its first record where that isn't known
     * @return the page that it takes the place of, or null
     */
    SharedPage keep(String place, SharedPage page) {
        return pages.put(place, page);
    }

    void drop(SharedPage page) {
        pages.values().remove(page);
    }

    /** Takes away the last of the pages that only readers to come want, or else only the slowest; null where there is none. */
    SharedPage dropSpare() {
        List<String> places = readers.values().stream().map(each -> each.place).sorted(Position::compare).collect(Collectors.toList());
        SharedPage passed = places.isEmpty() ? null : dropLast(places.get(0));
        return passed != null ? passed : dropLast(places.size() < 2 ? null : places.get(1));
    }

    /** @param end of the pages it may be; null for any */
    private SharedPage dropLast(String end) {
        Map.Entry<String, SharedPage> last = end == null ? pages.lastEntry() : pages.lowerEntry(end);
        while (last != null && end != null && Position.compare(last.getValue().last(), end) > 0) {
            last = pages.lowerEntry(last.getKey());
        }
        return last == null ? null : pages.remove(last.getKey());
    }

    /** Takes away the pages that all readers have come to the end of, unless others are to come. */
    List<SharedPage> passed(long now) {
        List<SharedPage> found = new ArrayList<>();
        if (isExpecting(now)) {
            return found;
        }
        String last = readers.values().stream().map(each -> each.place).min(Position::compare).orElse(null);
        while (!pages.isEmpty() && (last == null || Position.compare(pages.firstEntry().getValue().last(), last) <= 0)) {
            found.add(pages.pollFirstEntry().getValue());
        }
        return found;
    }

    /** Takes away all pages. */
    List<SharedPage> all() {
        List<SharedPage> found = List.copyOf(pages.values());
        pages.clear();
        return found;
    }

    void left(Object reader) {
        readers.remove(reader);
    }

    /** Forgets who is away. */
    void look(long now) {
        readers.values().removeIf(each -> now - each.seenNanos > AWAY_NANOS);
        empty.values().removeIf(each -> now - each.readNanos() > AWAY_NANOS);
    }

    boolean isQuiet() {
        return readers.isEmpty() && underWay.isEmpty() && pages.isEmpty();
    }
}
