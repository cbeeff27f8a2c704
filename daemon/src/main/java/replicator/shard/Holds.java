package replicator.shard;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import replicator.leases.FleetLeaseCoordinator;
import replicator.leases.LeaseTerms;
import replicator.process.TaskThreads;
import software.amazon.kinesis.leases.Lease;

/**
 * What this daemon's children say of shards that can't go on, by marks in a directory: {@code processor/state/hold_files.py}
 * makes them. A child can tell its daemon nothing else while it has a batch in hand.
 */
public final class Holds {
    private static final long LOOK_MILLIS = 1_000;
    private static final String FAILING = ".outage";
    private static final String AGAIN = ".again";
    private static final Logger LOG = LoggerFactory.getLogger(Holds.class);

    private final Path directory;

    public Holds(Path directory) {
        this.directory = directory;
    }

    /** Whether the shard waits at a change that a person must see to: its batch may never be finished. */
    public boolean isHeld(String shardId) {
        return Files.exists(directory.resolve(LeaseTerms.fileName(shardId)));
    }

    /** How many of these wait so. */
    long held(Collection<Lease> leases) {
        return marked(() -> leases, "").size();
    }

    /** How many of these have failed to write for a while. */
    long failing(Collection<Lease> leases) {
        return marked(() -> leases, FAILING).size();
    }

    /** The status that a child has left for this daemon's end, or else {@code otherwise}. */
    public int exitStatus(int otherwise) {
        try {
            return Integer.parseInt(Files.readString(directory.resolve("exit-status")).trim());
        } catch (NoSuchFileException e) {
            return otherwise;
        } catch (IOException | NumberFormatException e) {
            LOG.debug("A child's status can't be read", e);
            return otherwise;
        }
    }

    /** The stop waits for children no longer: they need not take this process for killed. */
    public void noteStopped() {
        try {
            Files.createFile(directory.resolve("stopped"));
        } catch (IOException e) {
            LOG.debug("Children are not told of the stop", e);
        }
    }

    /** From now on, gives up the leases of shards that are to be read again: new children then get their records anew. */
    public void watch(FleetLeaseCoordinator coordinator) {
        TaskThreads.timer("holds").scheduleWithFixedDelay(() -> {
            try {
                marked(coordinator::getAssignments, AGAIN).forEach(lease -> {
                    coordinator.dropLease(lease);
                    remove(lease);
                });
            } catch (RuntimeException e) { // looked at again in a second
                LOG.debug("Shards to be read again can't be given up", e);
            }
        }, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void remove(Lease lease) {
        try {
            Files.deleteIfExists(directory.resolve(LeaseTerms.fileName(lease.leaseKey()) + AGAIN));
        } catch (IOException e) {
            LOG.debug("A mark stays", e);
        }
    }

    private List<Lease> marked(Supplier<Collection<Lease>> leases, String suffix) {
        String[] names = directory.toFile().list();
        Set<String> marks = names == null ? Set.of() : Set.of(names);
        return marks.isEmpty() ? List.of() : leases.get().stream()
                .filter(lease -> marks.contains(LeaseTerms.fileName(lease.leaseKey()) + suffix))
                .collect(Collectors.toList());
    }
}
