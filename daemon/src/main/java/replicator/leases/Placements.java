package replicator.leases;

import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * What a process with many tasks is to its fleet: one daemon, whose worker id all of its tasks bear, so that daemons can be
 * compared over tasks. Where settings give tasks ids of their own, it is a daemon for each id.
 */
public final class Placements {
    private final LongSupplier nanos;
    private final MovedLeases moved = new MovedLeases();
    private final Set<String> tasks = ConcurrentHashMap.newKeySet();
    private final Map<String, Placement> byWorker = new ConcurrentHashMap<>();
    private final Map<String, String> instead = new ConcurrentHashMap<>();
    private volatile long newestTaskNanos;

    public Placements() {
        this(System::nanoTime);
    }

    /** @param nanos the clock, as {@code System.nanoTime} is one */
    Placements(LongSupplier nanos) {
        this.nanos = nanos;
        this.newestTaskNanos = nanos.getAsLong();
    }

    /**
     * A task is begun. While new ones are, too little is known of the fleet to take leases from others.
     *
     * @param task what no other task has, and its next run has, too: one that is begun again is not new
     */
    public void begins(String task) {
        if (tasks.add(task)) {
            newestTaskNanos = nanos.getAsLong();
        }
    }

    /** The id that a task goes by: the one that it was given, unless {@link #anotherWorker} has replaced that. */
    public String worker(String given) {
        return instead.getOrDefault(given, given);
    }

    /** Another process has this id: the tasks that begin from now on share a new one. */
    public String anotherWorker(String given) {
        return instead.computeIfAbsent(given, id -> id + "-" + UUID.randomUUID());
    }

    /** For the tasks that go by this id. */
    public Placement of(String worker) {
        return byWorker.computeIfAbsent(worker, id -> new Placement(id, nanos, () -> newestTaskNanos, moved));
    }
}
