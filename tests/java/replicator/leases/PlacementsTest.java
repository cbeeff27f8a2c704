package replicator.leases;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

/** A process is one daemon to its fleet, whatever the number of its tasks. */
class PlacementsTest {
    private final Placements placements = new Placements();

    @Test
    void tasksOfOneIdAreOneDaemon() {
        assertSame(placements.of("host-1"), placements.of("host-1"));
        assertNotSame(placements.of("host-1"), placements.of("its-own"));
    }

    /** Each would else be a daemon of its own to the others. */
    @Test
    void anIdThatSomebodyElseHasIsReplacedForAllTasks() {
        assertEquals("host-1", placements.worker("host-1"));
        String other = placements.anotherWorker("host-1");
        assertNotEquals("host-1", other);
        assertEquals(other, placements.anotherWorker("host-1"));
        assertEquals(other, placements.worker("host-1"));
        assertEquals("its-own", placements.worker("its-own"));
    }
}
