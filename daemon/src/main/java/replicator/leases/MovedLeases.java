package replicator.leases;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import replicator.log.Event;
import replicator.log.TaskGroup;
import replicator.process.DaemonThreads;

/**
 * Says which leases were taken from living daemons, of all tasks: one line for those of a moment. A daemon that joins takes
 * its share of every task, and a line for each shard would hide all others.
 */
final class MovedLeases {
    private static final long MOMENT_MILLIS = 5_000;

    private final ScheduledThreadPoolExecutor later =
            new ScheduledThreadPoolExecutor(1, DaemonThreads.ofProcess("moved-leases"));
    private final Map<String, Integer> from = new TreeMap<>();
    private final Set<String> tasks = new HashSet<>();

    /** On a thread of the task. */
    synchronized void add(String owner) {
        if (from.isEmpty()) {
            later.schedule(this::say, MOMENT_MILLIS, TimeUnit.MILLISECONDS);
        }
        from.merge(owner, 1, Integer::sum);
        TaskGroup.current().ifPresent(task -> tasks.add(task.getName()));
    }

    synchronized void say() {
        if (from.isEmpty()) {
            return;
        }
        Event.info("leases_moved").with("leases", from.values().stream().mapToInt(each -> each).sum())
                .with("tasks", tasks.size())
                .with("from", from.entrySet().stream().map(each -> each.getKey() + ":" + each.getValue())
                        .collect(Collectors.joining(",")))
                .note("This daemon has taken these leases from living ones, because it is the one of the fleet that they should "
                        + "be with. Each shard begins when the other daemon's lease would have ended.");
        from.clear();
        tasks.clear();
    }
}
