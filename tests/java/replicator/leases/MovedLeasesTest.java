package replicator.leases;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** A daemon that joins takes its share of every task: that is one line. */
class MovedLeasesTest {
    @Test
    void manyOfAMomentAreOneLine() {
        ListAppender<ILoggingEvent> said = new ListAppender<>();
        said.start();
        Logger logger = (Logger) LoggerFactory.getLogger("replicator");
        logger.setLevel(Level.INFO);
        logger.addAppender(said);
        try {
            MovedLeases moved = new MovedLeases();
            for (int number = 0; number < 20; number++) {
                moved.add(number < 15 ? "host-1" : "host-2");
            }
            assertEquals(0, said.list.size());
            moved.say();
            moved.say();
            moved.add("host-2");
            moved.say();
        } finally {
            logger.detachAppender(said);
            logger.setLevel(null);
        }
        assertEquals(2, said.list.size());
        assertTrue(said.list.get(0).getFormattedMessage().startsWith(
                "leases_moved leases=20 tasks=0 from=\"host-1:15,host-2:5\""), said.list.get(0).getFormattedMessage());
        assertTrue(said.list.get(1).getFormattedMessage().startsWith("leases_moved leases=1 tasks=0 from=host-2:1"));
    }
}
