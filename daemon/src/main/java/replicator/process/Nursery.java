package replicator.process;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
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

    /** By which a child finds its settings ({@code processor/settings/daemon_files.py}). */
    private static final String SETTINGS_VARIABLE = "REPLICATION_CHILD_SETTINGS";

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
     * @param command the nursery's, without its argument, the folder; null where there is to be none
     * @param folder where that makes its named pipes
     */
    public Nursery(String alone, String command, Path folder) {
        this.alone = alone.split(" +");
        this.command = command == null ? null
                : Stream.concat(Stream.of(command.split(" +")), Stream.of(folder.toString())).toArray(String[]::new);
        this.folder = folder;
    }

    /**
     * Has it ready what a task's children share when the task's first shard begins, as its settings are now.
     *
     * @param settings the file with the settings of the task's children
     */
    public void prepare(Path settings) {
        NurseryProcess running = running();
        if (running != null) {
            running.prepare(settings);
        }
    }

    /** A task has ended. A process that is yet to be started knows nothing of it. */
    public void forget(Path settings) {
        NurseryProcess last = last();
        if (last != null) {
            last.forget(settings);
        }
    }

    /**
     * A child, with pipes to speak to it by.
     *
     * @param settings the file with the settings of the task's children
     * @throws IOException if none can be started in either way
     */
    public Process child(Path settings) throws IOException {
        NurseryProcess running = running();
        if (running != null) {
            try {
                Process child = running.fork(settings);
                outage.succeeded();
                return child;
            } catch (IOException e) {
                outage.failed(e);
            }
        }
        ProcessBuilder program = new ProcessBuilder(alone);
        program.environment().put(SETTINGS_VARIABLE, settings.toString());
        return program.start();
    }

    /** Ends the process that forks, by force if it takes more than {@code millis}; no child is forked from now on. */
    public synchronized void close(long millis) {
        isClosed = true;
        if (process != null) {
            process.close(millis);
        }
    }

    /** The one that runs, or was the last to; null where there was none. */
    private synchronized NurseryProcess last() {
        return process;
    }

    /** The same, once another one is started if that is to be. */
    private synchronized NurseryProcess running() {
        boolean isWanted = command != null && !isClosed && (process == null || !process.isUsable());
        if (isWanted && pause.leftMillis() == 0) {
            pause.begin();
            process = new NurseryProcess(folder, HUNG_NANOS).start(command);
        }
        return process;
    }
}
