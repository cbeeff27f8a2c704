package replicator.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** An iterator carries its place, and the stream gets its own back as it gave it. */
class PositionTest {
    @Test
    void anIteratorCarriesItsPlace() {
        for (String each : new String[] {"1", "000123", Position.OLDEST}) {
            String iterator = Position.after("shardId-1", each).in("arn:aws:x|1|AAA=");
            assertEquals("arn:aws:x|1|AAA=", Position.withoutPosition(iterator));
            Position found = Position.of(iterator).orElseThrow();
            assertEquals("shardId-1", found.shardId());
            assertEquals(each, found.after());
            assertTrue(found.isKnown());
        }
    }

    @Test
    void aPlaceMayBeUnknown() {
        Position found = Position.of(Position.unknown("shardId-1").in("AAA")).orElseThrow();
        assertEquals("shardId-1", found.shardId());
        assertFalse(found.isKnown());
    }

    @Test
    void theStreamsOwnIteratorsHaveNone() {
        for (String each : new String[] {"AAA", "", "a\nb", "\n"}) {
            assertTrue(Position.of(each).isEmpty());
            assertEquals(each, Position.withoutPosition(each));
        }
        assertTrue(Position.of(null).isEmpty());
    }

    @Test
    void whatWouldBeMisreadIsLeftOut() {
        assertEquals("AAA", Position.after("shard\nId", "1").in("AAA"));
        assertEquals("AAA", Position.after("shardId", "1\n2").in("AAA"));
    }

    @Test
    void sequenceNumbersAreComparedByTheirValue() {
        assertTrue(Position.compare("9", "10") < 0);
        assertTrue(Position.compare("10", "0009") > 0);
        assertEquals(0, Position.compare("0010", "10"));
        assertTrue(Position.compare("100000000000000000000000000000000000001", "99999999999999999999999999999999999999") > 0);
        assertTrue(Position.compare(Position.OLDEST, "0001") < 0);
        assertEquals(0, Position.compare(Position.OLDEST, Position.OLDEST));
    }
}
