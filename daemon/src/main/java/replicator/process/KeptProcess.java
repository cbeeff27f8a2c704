package replicator.process;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import replicator.log.Event;
import replicator.log.ProcessLines;

/**
 * A process that helps this one, kept running: it is started again where it ends, with growing pauses. It gets lines, and ends
 * with its input, which comes however this process ends. What it writes to standard error goes where the children's lines go.
 */
public final class KeptProcess {
    /** Says that it has ended by itself. */
    public interface Ended {
        /** @param againSeconds after this time it is started again */
        void say(String how, long againSeconds);
    }

    private static final Logger LOG = LoggerFactory.getLogger(KeptProcess.class);

    private final String name;
    private final String[] command;
    private final Runnable begun;
    private final Consumer<String> hear;
    private final Ended ended;
    private volatile boolean closing;
    private volatile Process process;

    /**
     * @param name of what it does, for its thread's name
     * @param begun called when it was started, each time, before it is heard
     * @param hear takes what it writes to standard output, a line at a time; where it fails with one, the next one follows
     */
    public KeptProcess(String name, String[] command, Runnable begun, Consumer<String> hear, Ended ended) {
        this.name = name;
        this.command = command;
        this.begun = begun;
        this.hear = hear;
        this.ended = ended;
    }

    /** Keeps it running. Returns when it is closed. */
    public void run() throws InterruptedException {
        RestartPause pause = new RestartPause();
        while (!closing) {
            pause.begin();
            String how = runOnce();
            if (closing) {
                return;
            }
            long left = pause.leftMillis();
            ended.say(how, left / 1_000);
            Thread.sleep(left);
        }
    }

    /** Whether it is there to be told something. */
    public boolean isRunning() {
        return process != null;
    }

    /** Gives it a line, if it runs: what is to be known by the next one, {@code begun} has to say again. */
    public synchronized void say(String line) {
        Process running = process;
        if (running == null) {
            return;
        }
        try {
            running.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            running.getOutputStream().flush();
        } catch (IOException e) {
            LOG.debug("The process has ended: {}", name, e);
        }
    }

    /** Ends its input, and starts it no more. */
    public void close() {
        closing = true;
        Process running = process;
        if (running != null) {
            try {
                running.getOutputStream().close();
            } catch (IOException e) {
                LOG.debug("The process has ended: {}", name, e);
            }
        }
    }

    /** Waits for its end, but for no longer than that. */
    public void await(long millis) {
        Process running = process;
        if (running != null) {
            try {
                running.waitFor(millis, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private String runOnce() throws InterruptedException {
        try {
            Process started = new ProcessBuilder(command).start();
            process = started;
            DaemonThreads.ofProcess(name + "-log").newThread(() -> log(started)).start();
            begun.run();
            ProcessLines.read(started.getInputStream(), this::take);
            return "ended with " + started.waitFor();
        } catch (IOException e) {
            return "can't be started (" + e.getMessage() + ")";
        } finally {
            process = null;
        }
    }

    /** A line that can't be understood must end neither this thread, which keeps the process, nor those to come. */
    private void take(String line) {
        try {
            hear.accept(line);
        } catch (RuntimeException e) {
            Event.error("thread_failed").with("thread", name).with("error", e).with("line", line).cause(e)
                    .note("BUG: a helper process says what can't be understood. It is passed over: what the line asks for is "
                            + "not done, and the next lines are. Please report it.");
        }
    }

    private void log(Process started) {
        try {
            ProcessLines.read(started.getErrorStream(), line -> {
                ProcessLines.log(line);
                System.err.println(line);
            });
        } catch (IOException e) {
            LOG.debug("The process has ended: {}", name, e);
        }
    }
}
