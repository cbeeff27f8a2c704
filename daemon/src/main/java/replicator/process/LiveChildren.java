package replicator.process;

import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** The child processes of one task that have not ended. */
public final class LiveChildren {
    private final Set<Process> alive = ConcurrentHashMap.newKeySet();

    /** One that has just been started. */
    public Process add(Process child) {
        alive.add(child);
        child.onExit().thenRun(() -> alive.remove(child));
        return child;
    }

    /**
     * Ends those that are left. Each sees its input end, as when the daemon is gone, and ends at once, even in the middle of a
     * batch; one that has not after so long is killed.
     */
    public void end(long millis) {
        for (Process child : alive) {
            try {
                child.getOutputStream().close();
            } catch (IOException e) { // it has ended, or is killed below
            }
        }
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        for (Process child : alive) {
            try {
                if (!child.waitFor(until - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                    child.destroyForcibly();
                }
            } catch (InterruptedException e) {
                child.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }
}
