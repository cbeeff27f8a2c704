package replicator;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import replicator.log.Event;
import replicator.log.ProcessLines;
import replicator.process.DaemonThreads;
import replicator.process.RestartPause;

/**
 * The process that reads tasks' files, looks at what each task needs, and says which of them are to run
 * ({@code processor/startup/keeper.py}): kept running. Tasks that run go on without it.
 */
final class KeeperProcess {
    private static final Logger LOG = LoggerFactory.getLogger(KeeperProcess.class);

    private final String[] command;
    private final Consumer<String> hear;
    private final Runnable begun;
    private volatile boolean closing;
    private volatile Process process;

    /**
     * @param hear takes what it says, a line at a time
     * @param begun called when it was started, each time, before it is heard
     */
    KeeperProcess(String[] command, Consumer<String> hear, Runnable begun) {
        this.command = command;
        this.hear = hear;
        this.begun = begun;
    }

    /** Returns when it is closed. */
    void run() throws InterruptedException {
        RestartPause pause = new RestartPause();
        while (!closing) {
            pause.begin();
            String end = runOnce();
            if (closing) {
                return;
            }
            long left = pause.leftMillis();
            Event.warning("task_keeper_ended").with("end", end).with("again_in_seconds", left / 1_000)
                    .note("The tasks that run go on. Changed files, and tasks that wait to be started, are seen to when the "
                            + "process that keeps them is started again. replication.log has what it said.");
            Thread.sleep(left);
        }
    }

    /** Says a line to it; whoever is there no more is told anew when it has begun again. */
    synchronized void say(String words) {
        Process running = process;
        if (running == null) {
            return;
        }
        try {
            running.getOutputStream().write((words + "\n").getBytes(StandardCharsets.UTF_8));
            running.getOutputStream().flush();
        } catch (IOException e) {
            LOG.debug("The keeper has ended", e);
        }
    }

    /** Its end. */
    void close() {
        closing = true;
        Process running = process;
        if (running != null) {
            try {
                running.getOutputStream().close();
            } catch (IOException e) {
                LOG.debug("The keeper has ended", e);
            }
        }
    }

    private String runOnce() throws InterruptedException {
        try {
            Process started = new ProcessBuilder(command).start();
            process = started;
            begun.run();
            DaemonThreads.ofProcess("keeper-log").newThread(() -> log(started)).start();
            ProcessLines.read(started.getInputStream(), hear);
            return "with " + started.waitFor();
        } catch (IOException e) {
            return e.getMessage();
        } finally {
            process = null;
        }
    }

    private static void log(Process started) {
        try {
            ProcessLines.read(started.getErrorStream(), line -> {
                ProcessLines.log(line);
                System.err.println(line);
            });
        } catch (IOException e) {
            LOG.debug("The keeper has ended", e);
        }
    }
}
