package replicator.shard;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import software.amazon.kinesis.leases.Lease;

/** What is said of a task each minute. */
class ProgressTest {
    private final ListAppender<ILoggingEvent> appender = new ListAppender<>();
    private final Logger log = (Logger) LoggerFactory.getLogger("replicator");

    @BeforeEach
    void listen() {
        log.setLevel(Level.INFO);
        appender.start();
        log.addAppender(appender);
    }

    @AfterEach
    void stopListening() {
        log.detachAppender(appender);
        log.setLevel(null);
    }

    /** The line soon after the start, then five minutes: two without a shard, one with, and two without. */
    private List<String> said(boolean hasNeighbours) {
        Progress progress = new Progress(new RecordTimes("arn"), new Holds(Path.of("holds")), hasNeighbours);
        for (int shards : new int[] {0, 0, 0, 1, 0, 0}) {
            Lease lease = new Lease();
            lease.leaseKey("shard-0");
            progress.shards(() -> shards == 0 ? List.of() : List.of(lease));
            progress.report();
        }
        return appender.list.stream().map(each -> each.getFormattedMessage().split(" ")[0]).collect(Collectors.toList());
    }

    @Test
    void aTaskAloneSaysEachMinuteThatItLives() {
        assertEquals(List.of("standby", "standby", "progress", "standby", "standby"), said(false));
    }

    /** A daemon of a fleet has no shard of most of its tasks, and a line a minute for each of them would hide the others. */
    @Test
    void oneOfManyWithoutAShardIsSaidOnce() {
        assertEquals(List.of("standby", "progress", "standby"), said(true));
    }
}
