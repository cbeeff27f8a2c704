package replicator.shard;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import replicator.log.Said;
import software.amazon.kinesis.leases.Lease;

/** What is said of a task each minute. */
class ProgressTest {
    @RegisterExtension
    final Said heard = new Said();

    /** The line soon after the start, then five minutes: two without a shard, one with, and two without. */
    private List<String> said(boolean hasNeighbours) {
        Progress progress = new Progress(new RecordTimes("arn"), new Holds(Path.of("holds")), hasNeighbours);
        for (int shards : new int[] {0, 0, 0, 1, 0, 0}) {
            Lease lease = new Lease();
            lease.leaseKey("shard-0");
            progress.shards(() -> shards == 0 ? List.of() : List.of(lease));
            progress.report();
        }
        return heard.names();
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
