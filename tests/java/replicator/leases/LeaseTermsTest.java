package replicator.leases;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Until when a shard may be written, and what the child's file says of it. */
class LeaseTermsTest {
    private static final long LENGTH = 1_000_000; // longer than any test

    @TempDir
    Path directory;

    private LeaseTerms terms;

    @BeforeEach
    void make() throws IOException {
        terms = new LeaseTerms(directory, LENGTH);
    }

    private ByteBuffer file() throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(directory.resolve(LeaseTerms.fileName("shard"))));
    }

    @Test
    void withoutATermAShardWaits() {
        assertEquals(terms.lengthNanos(), terms.waitNanos("shard"));
    }

    @Test
    void aFreeShardBeginsAtOnceAndALivingOwnersLater() {
        terms.begin("shard", LeaseTerms.Moment.now(), false);
        assertTrue(terms.waitNanos("shard") <= 0);
        terms.begin("shard", LeaseTerms.Moment.now(), true);
        assertTrue(terms.waitNanos("shard") > 0);
    }

    @Test
    void theFileHasTheTermsEnd() throws IOException {
        LeaseTerms.Moment asked = LeaseTerms.Moment.now();
        terms.begin("shard", asked, false);
        ByteBuffer before = file();
        assertEquals(asked.nanos() + terms.lengthNanos(), before.getLong(24));
        LeaseTerms.Moment later = LeaseTerms.Moment.now();
        terms.extend("shard", terms.of("shard"), later);
        assertEquals(later.nanos() + terms.lengthNanos(), file().getLong(24));
        assertEquals(before.getLong(0), file().getLong(0)); // the same term
        terms.extend("shard", terms.of("shard"), asked);
        assertEquals(later.nanos() + terms.lengthNanos(), file().getLong(24), "a late answer made it shorter");
    }

    @Test
    void anEarlierTermExtendsAndEndsNoLaterOne() throws IOException {
        terms.begin("shard", LeaseTerms.Moment.now(), false);
        LeaseTerms.Term old = terms.of("shard");
        terms.begin("shard", LeaseTerms.Moment.now(), false);
        ByteBuffer current = file();
        terms.extend("shard", old, LeaseTerms.Moment.now());
        terms.end("shard", old);
        assertEquals(current, file());
        assertNotNull(terms.of("shard"));
        terms.end("shard", terms.of("shard"));
        assertNull(terms.of("shard"));
        assertFalse(Files.exists(directory.resolve(LeaseTerms.fileName("shard"))));
    }

    @Test
    void onlyATermThatRanOutIsLost() throws IOException {
        List<String> dropped = new ArrayList<>();
        terms.begin("shard", LeaseTerms.Moment.now(), false);
        terms.endLost(shardId -> false, dropped::add);
        assertEquals(List.of(), dropped);
        LeaseTerms brief = new LeaseTerms(directory, -1);
        brief.begin("shard", LeaseTerms.Moment.now(), false);
        brief.endLost(shardId -> true, dropped::add);
        assertEquals(List.of(), dropped);
        brief.endLost(shardId -> false, dropped::add);
        assertEquals(List.of("shard"), dropped);
    }

    @Test
    void aNameIsNoPath() {
        assertTrue(LeaseTerms.fileName("../../etc/passwd").matches("[0-9a-f]{64}"));
    }
}
