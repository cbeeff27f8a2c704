package replicator.lineage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** How often the stream is listed by a fleet. */
class ListingPaceTest {
    private static long seconds(int shards, int daemons, boolean speaks, boolean isTrouble) {
        return TimeUnit.NANOSECONDS.toSeconds(ListingPace.nanos(shards, daemons, speaks, isTrouble));
    }

    @Test
    void aSmallStream() {
        assertEquals(20, seconds(4, 2, true, false));
        assertEquals(300, seconds(4, 2, false, false));
        assertEquals(60, seconds(4, 2, false, true));
    }

    @Test
    void twoCallsASecondOfAFleetOfAnySize() {
        for (int shards = 0; shards <= 40_000; shards += 500) {
            for (int daemons = 1; daemons <= 64; daemons *= 2) {
                double calls = shards / 100 + 1.0;
                double speaker = calls / seconds(shards, daemons, true, false);
                double others = (daemons - 1) * calls / seconds(shards, daemons, false, true);
                assertTrue(speaker <= 1 && others <= 1, shards + " shards, " + daemons + " daemons");
            }
        }
    }
}
