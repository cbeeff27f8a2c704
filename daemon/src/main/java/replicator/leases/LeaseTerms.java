package replicator.leases;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import replicator.log.Event;

/**
 * Tells the children until when they may write, through a file for each shard.
 *
 * <p>A lease is ours for {@code failoverTimeMillis} after the moment at which its last renewal was asked for: no other
 * worker takes it as expired before. KCL tells a child that its lease is lost only between two batches; the file tells it
 * before every write, and still says the truth when this process is suspended.
 * {@code processor/replication/lease_term.py} reads it.
 *
 * <p>A worker may also take a lease that has not expired, to balance the load. The old owner then writes until it hears of
 * that, at most to the end of its term; so here a shard begins only after that ({@link #waitNanos}).
 */
public final class LeaseTerms {
    /** The file: the term's id, its end by the wall clock (ms) and by the monotonic one (ns). */
    private static final int FILE_BYTES = 16 + 2 * Long.BYTES;

    private static final Logger LOG = LoggerFactory.getLogger(LeaseTerms.class);

    private final Path directory;
    private final long lengthMillis;
    private final Map<String, Term> terms = new ConcurrentHashMap<>();

    /** @param lengthMillis KCL's failoverTimeMillis */
    public LeaseTerms(Path directory, long lengthMillis) throws IOException {
        this.directory = Files.createDirectories(directory);
        this.lengthMillis = lengthMillis;
    }

    /** By both clocks: the monotonic one stands still while a machine sleeps, the other may be set back. */
    static final class Moment {
        private final long wallMillis;
        private final long nanos;

        private Moment(long wallMillis, long nanos) {
            this.wallMillis = wallMillis;
            this.nanos = nanos;
        }

        static Moment now() {
            return new Moment(System.currentTimeMillis(), System.nanoTime());
        }

        /** By the clock that KCL goes by. */
        long nanos() {
            return nanos;
        }
    }

    /** One unbroken time of holding a lease. A child of an earlier one must not take heart from a later one. */
    static final class Term {
        private final UUID id = UUID.randomUUID();
        private final Path file;
        private final long firstWriteNanos;
        private volatile Moment asked;

        private Term(Path file, long firstWriteNanos, Moment asked) {
            this.file = file;
            this.firstWriteNanos = firstWriteNanos;
            this.asked = asked;
        }
    }

    long lengthNanos() {
        return lengthMillis * 1_000_000;
    }

    /** The term under way, or null. */
    Term of(String shardId) {
        return terms.get(shardId);
    }

    /** @param fromLiving whether the lease's last owner may still write, for the rest of its own term */
    synchronized void begin(String shardId, Moment asked, boolean fromLiving) {
        Term term = new Term(directory.resolve(fileName(shardId)),
                fromLiving ? System.nanoTime() + lengthNanos() : asked.nanos, asked);
        terms.put(shardId, term);
        tell(shardId, term);
    }

    /** An answer may come late, after that to a later request: a term never becomes shorter. */
    synchronized void extend(String shardId, Term term, Moment asked) {
        if (terms.get(shardId) == term && asked.nanos - term.asked.nanos > 0) { // else of a term long over
            term.asked = asked;
            tell(shardId, term);
        }
    }

    synchronized void end(String shardId, Term term) {
        if (term != null && terms.remove(shardId, term)) {
            write(shardId, term, ByteBuffer.allocate(FILE_BYTES)); // who has the file open sees it
            try {
                Files.deleteIfExists(term.file);
            } catch (IOException e) {
                LOG.debug("An ended term's file stays", e);
            }
        }
    }

    /**
     * KCL gives up a lease that ran out without a word to anybody; its child waits for news. Or it does not quite: a late
     * answer to a checkpoint makes it take heart, while the child of the ended term never writes again. So {@code drop}
     * must end the term, and see to it that KCL has lost the lease for good.
     */
    void endLost(Predicate<String> isHeld, Consumer<String> drop) {
        long now = System.nanoTime();
        terms.forEach((shardId, term) -> {
            if (now - term.asked.nanos > lengthNanos() && !isHeld.test(shardId)) {
                drop.accept(shardId);
            }
        });
    }

    /** Whether the machine has slept through the rest of a term: KCL goes by the clock that stood still meanwhile. */
    boolean isSleptThrough(Term term) {
        return term != null && System.currentTimeMillis() - term.asked.wallMillis > lengthMillis;
    }

    /** How long the shard must not be begun yet; 0 or less: it may. Without a term, not before there is one. */
    public long waitNanos(String shardId) {
        Term term = terms.get(shardId);
        return term == null ? lengthNanos() : term.firstWriteNanos - System.nanoTime();
    }

    /** A lease's key may be anything that somebody wrote to the checkpoint table: it names no path. */
    public static String fileName(String shardId) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(shardId.getBytes(StandardCharsets.UTF_8));
            return String.format("%064x", new BigInteger(1, digest));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }

    private void tell(String shardId, Term term) {
        Moment asked = term.asked;
        ByteBuffer content = ByteBuffer.allocate(FILE_BYTES);
        content.putLong(term.id.getMostSignificantBits()).putLong(term.id.getLeastSignificantBits());
        content.putLong(asked.wallMillis + lengthMillis).putLong(asked.nanos + lengthNanos());
        content.flip();
        write(shardId, term, content);
    }

    private void write(String shardId, Term term, ByteBuffer content) {
        try (FileChannel file = FileChannel.open(term.file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            file.write(content, 0);
        } catch (IOException e) {
            Event.error("term_unwritable").with("shard", shardId).with("file", term.file).with("error", e.toString())
                    .note("The file can't be written, so the shard is not replicated by this daemon: its child can't know "
                            + "that it may write. Make the directory writable.");
        }
    }
}
