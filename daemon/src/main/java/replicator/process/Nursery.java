package replicator.process;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import replicator.log.Outage;

/**
 * Starts shards' children: forked from a process that has loaded all that they run on ({@code processor/replication/nursery.py}),
 * or, if that process can't be used, as programs of their own, which take 23 MB of memory and 0.12 s of CPU more.
 *
 * <p>The process is started again where it ends, with growing pauses. Its children go on without it.
 */
public final class Nursery {
    /** It says something for each child. On a busy machine hundreds may be asked for at once. */
    private static final long HUNG_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final String[] alone;
    private final String[] command;
    private final Path folder;
    private final Outage outage = new Outage("children_not_forked", "No child can be forked",
            "Each is started as a program of its own, with the same result: it takes more memory, and its start more CPU.",
            "Children are forked again");
    private final RestartPause pause = new RestartPause();
    private NurseryProcess process;
    private boolean isClosed;

    /**
     * @param alone the command of a child that is a program of its own, split at spaces, as KCL splits it
     * @param command the nursery's; null where there is to be none
     * @param folder where that makes its named pipes
     */
    public Nursery(String alone, String command, Path folder) {
        this.alone = alone.split(" +");
        this.command = command == null ? null : command.split(" +");
        this.folder = folder;
    }

    /** Starts it, so that it is ready when the first shard begins. */
    public void start() {
        running();
    }

    /**
     * A child, with pipes to speak to it by.
     *
     * @throws IOException if none can be started in either way
     */
    public Process child() throws IOException {
        NurseryProcess running = running();
        if (running != null) {
            try {
                Process child = running.fork();
                outage.succeeded();
                return child;
            } catch (IOException e) {
                outage.failed(e);
            }
        }
        return new ProcessBuilder(alone).start();
    }

    /** Ends the process that forks, and waits up to {@code millis} for that; no child is forked from now on. */
    public synchronized void close(long millis) {
        isClosed = true;
        if (process != null) {
            process.close(millis);
        }
    }

    /** The one that runs, or was the last to; null where there was none. */
    private synchronized NurseryProcess running() {
        boolean isWanted = command != null && !isClosed && (process == null || !process.isUsable());
        if (isWanted && pause.leftMillis() == 0) {
            pause.begin();
            process = new NurseryProcess(folder, HUNG_NANOS).start(command);
        }
        return process;
    }
}
