package replicator.shard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import org.junit.jupiter.api.Test;

/** Which records were surely made before a moment, and whether a source rounds their times. */
class FirstStartTest {
    private static final long MOMENT = 1_700_000_040_000L; // a whole minute

    private static boolean isBefore(long seconds) {
        return new FirstStart(MOMENT, false).isBefore(Instant.ofEpochMilli(MOMENT + seconds * 1_000));
    }

    @Test
    void whereItIsNotCertainARecordIsMeant() {
        assertFalse(isBefore(1));
        assertFalse(isBefore(-6)); // a second's precision, and clocks that differ by five
        assertTrue(isBefore(-7));
        assertFalse(isBefore(-60)); // a whole minute may be a rounded one
        assertTrue(isBefore(-120));
    }

    @Test
    void aWholeMinuteIsASecondWhereTimesHaveSeconds() {
        FirstStart start = new FirstStart(MOMENT, true);
        assertTrue(start.isBefore(Instant.ofEpochMilli(MOMENT - 60_000)));
        assertFalse(start.isBefore(Instant.ofEpochMilli(MOMENT)));
    }

    @Test
    void aTimeThatIsNoneIsMeant() {
        assertFalse(new FirstStart(MOMENT, false).isBefore(Instant.ofEpochMilli(Long.MAX_VALUE)));
        assertTrue(new FirstStart(MOMENT, false).isBefore(Instant.ofEpochMilli(Long.MIN_VALUE)));
    }

    @Test
    void threeWholeMinutesAreRounded() {
        RecordTimes times = new RecordTimes("arn:aws:dynamodb:us-east-1:1:table/t/stream/s");
        for (int minute = 0; minute < 3; minute++) {
            assertFalse(times.rounded());
            times.see(Instant.ofEpochMilli(MOMENT + minute * 60_000));
        }
        assertTrue(times.rounded());
        assertEquals(true, new RecordTimes("arn:aws:dynamodb:ddblocal:0:table/t/stream/s").rounded());
    }
}
