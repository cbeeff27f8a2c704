package replicator.process;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import replicator.log.ProcessLines;

/** One run of the process that children are forked from, and the words that are spoken with it: {@code nursery.py} has them. */
final class NurseryProcess {
    private static final long LOOK_MILLIS = 500;
    private static final Set<String> WORDS = Set.of("made", "begun", "refused", "ended");

    private static final Logger LOG = LoggerFactory.getLogger(NurseryProcess.class);

    private final Path folder;
    private final long hungNanos;
    private final AtomicInteger numbers = new AtomicInteger();
    private final Map<String, ForkedChild> children = new ConcurrentHashMap<>();
    private volatile Process process;
    private volatile String end;
    private volatile long heard = System.nanoTime();

    /** @param hungNanos after this time without an answer to a request for a child, the process counts as unusable */
    NurseryProcess(Path folder, long hungNanos) {
        this.folder = folder;
        this.hungNanos = hungNanos;
    }

    /** One that can't be started is one that has ended. */
    NurseryProcess start(String... command) {
        try {
            Process started = new ProcessBuilder(command).start();
            process = started;
            DaemonThreads.ofProcess("nursery").newThread(() -> read(started.getInputStream(), this::hear, true)).start();
            DaemonThreads.ofProcess("nursery-log").newThread(() -> read(started.getErrorStream(), ProcessLines::log, false)).start();
        } catch (IOException e) {
            end = e.getMessage();
        }
        return this;
    }

    boolean isUsable() {
        return end == null;
    }

    /** What the task's children share is made now. Where the process has ended, its successor makes it with the first child. */
    void prepare(Path settings) {
        tell("task " + settings);
    }

    /** What the task's children shared is wanted no longer. */
    void forget(Path settings) {
        tell("gone " + settings);
    }

    /** Says what nobody waits for. */
    private void tell(String words) {
        try {
            say(words);
        } catch (IOException e) {
            LOG.debug("The nursery has ended", e);
        }
    }

    /**
     * A child.
     *
     * @param settings the file with the settings of its task's children
     * @throws IOException if it forks none, with the reason
     */
    Process fork(Path settings) throws IOException {
        String number = String.valueOf(numbers.incrementAndGet());
        ForkedChild child = new ForkedChild(folder, number, this::say);
        children.put(number, child);
        try {
            say("child " + number);
            await(child.made());
            child.open();
            say("open " + number + " " + settings);
            await(child.begun());
            return child;
        } catch (IOException e) {
            children.remove(number);
            child.abandon(); // one that is forked yet finds its input at its end, and ends
            throw e;
        }
    }

    /** Ends the process: by the end of its input, and by force if it has not ended {@code millis} after that. */
    void close(long millis) {
        if (process == null) {
            return;
        }
        try {
            process.getOutputStream().close();
            if (!process.waitFor(millis, TimeUnit.MILLISECONDS)) {
                process.destroyForcibly().waitFor(millis, TimeUnit.MILLISECONDS);
            }
        } catch (IOException e) {
            LOG.debug("The nursery has ended", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void await(CompletableFuture<Void> word) throws IOException {
        long asked = System.nanoTime();
        while (true) {
            try {
                word.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
                return;
            } catch (ExecutionException e) {
                throw new IOException(e.getCause().getMessage(), e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            } catch (TimeoutException e) {
                if (System.nanoTime() - Math.max(asked, heard) > hungNanos) {
                    end = "it did not answer for " + TimeUnit.NANOSECONDS.toSeconds(hungNanos) + " s";
                    process.destroyForcibly();
                }
            }
        }
    }

    private synchronized void say(String words) throws IOException {
        if (end != null) {
            throw ended();
        }
        process.getOutputStream().write((words + "\n").getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
    }

    private void hear(String line) {
        heard = System.nanoTime();
        String[] words = line.split(" ", 3);
        if (!WORDS.contains(words[0])) {
            throw new IllegalStateException("BUG: a word that nobody knows: " + line);
        }
        ForkedChild child = children.get(words[1]);
        if (child == null) { // given up meanwhile
            return;
        }
        switch (words[0]) {
            case "made":
                child.made().complete(null);
                break;
            case "begun":
                child.begin(Long.parseLong(words[2]));
                break;
            case "refused":
                child.refuse(words[2]);
                break;
            default: // ended
                children.remove(words[1]);
                child.end(Integer.parseInt(words[2]));
        }
    }

    private void read(InputStream from, Consumer<String> each, boolean untilItsEnd) {
        try {
            ProcessLines.read(from, each);
        } catch (IOException | RuntimeException e) {
            LOG.debug("The nursery can't be read from", e);
            process.destroyForcibly();
        }
        if (untilItsEnd) {
            end();
        }
    }

    private IOException ended() {
        return new IOException("the process that forks them has ended: " + end);
    }

    private void end() {
        try {
            int status = process.waitFor();
            end = end == null ? "with " + status : end;
        } catch (InterruptedException e) {
            end = "interrupted";
        }
        IOException lost = ended();
        children.values().forEach(child -> child.loseNursery(lost));
        children.clear();
    }
}
