package replicator.process;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A child that the nursery has forked for this process: named pipes to it, its process id, and how it ended. */
final class ForkedChild extends Process {
    /** How a signal is told; the numbers are POSIX's. */
    interface Words {
        void say(String words) throws IOException;
    }

    private static final int SIGTERM = 15;
    private static final int SIGKILL = 9;
    /** The exit status of a child whose end nobody could see. */
    private static final int UNKNOWN = 255;

    private final Path folder;
    private final String number;
    private final Words nursery;
    private final CompletableFuture<Void> made = new CompletableFuture<>();
    private final CompletableFuture<Void> begun = new CompletableFuture<>();
    private final CompletableFuture<Integer> ended = new CompletableFuture<>();
    private final List<FileChannel> both = new ArrayList<>();
    private volatile long pid;
    private volatile boolean nurseryIsLost;
    private OutputStream input;
    private InputStream output;
    private InputStream error;

    ForkedChild(Path folder, String number, Words nursery) {
        this.folder = folder;
        this.number = number;
        this.nursery = nursery;
    }

    CompletableFuture<Void> made() {
        return made;
    }

    CompletableFuture<Void> begun() {
        return begun;
    }

    /**
     * Opens our ends. Each pipe is opened for both ways first, so that no opening waits for another process, and is held so
     * until the child has opened its own ends.
     */
    void open() throws IOException {
        for (String end : List.of("in", "out", "err")) {
            both.add(FileChannel.open(path(end), StandardOpenOption.READ, StandardOpenOption.WRITE));
        }
        input = new FileOutputStream(path("in").toFile());
        output = new FileInputStream(path("out").toFile());
        error = new FileInputStream(path("err").toFile());
    }

    private Path path(String end) {
        return folder.resolve(number + "." + end);
    }

    /** From now on, the end of one side is seen by the other. */
    void begin(long processId) {
        pid = processId;
        closeBoth();
        begun.complete(null);
    }

    void refuse(String reason) {
        IOException refusal = new IOException("no process can be forked: " + reason);
        made.completeExceptionally(refusal);
        begun.completeExceptionally(refusal);
    }

    /** It is wanted no longer, be it there or not. */
    void abandon() {
        closeBoth();
        for (AutoCloseable each : new AutoCloseable[] {input, output, error}) {
            close(each);
        }
        try {
            nursery.say("drop " + number);
        } catch (IOException e) { // it is gone, and its folder is made anew by the next
            nurseryIsLost = true;
        }
    }

    private void closeBoth() {
        both.forEach(ForkedChild::close);
    }

    private static void close(AutoCloseable each) {
        try {
            if (each != null) {
                each.close();
            }
        } catch (Exception e) { // as closed as it can be
        }
    }

    void end(int status) {
        ended.complete(status);
    }

    /** Who would have told of the child's end is gone: the system tells, but not its status. */
    void loseNursery(IOException lost) {
        nurseryIsLost = true;
        made.completeExceptionally(lost);
        begun.completeExceptionally(lost);
        ProcessHandle.of(pid).ifPresentOrElse(
                handle -> handle.onExit().thenRun(() -> ended.complete(UNKNOWN)), () -> ended.complete(UNKNOWN));
    }

    @Override
    public OutputStream getOutputStream() {
        return input;
    }

    @Override
    public InputStream getInputStream() {
        return output;
    }

    @Override
    public InputStream getErrorStream() {
        return error;
    }

    @Override
    public long pid() {
        return pid;
    }

    @Override
    public boolean isAlive() {
        return !ended.isDone();
    }

    @Override
    public int exitValue() {
        if (isAlive()) {
            throw new IllegalThreadStateException("process has not exited");
        }
        return ended.join();
    }

    @Override
    public int waitFor() throws InterruptedException {
        try {
            return ended.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public boolean waitFor(long timeout, TimeUnit unit) throws InterruptedException {
        try {
            ended.get(timeout, unit);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public CompletableFuture<Process> onExit() {
        return ended.thenApply(status -> this);
    }

    @Override
    public void destroy() {
        signal(SIGTERM);
    }

    @Override
    public Process destroyForcibly() {
        signal(SIGKILL);
        return this;
    }

    /** By the nursery, which knows whether the process with this id is still the child. */
    private void signal(int signalNumber) {
        if (!isAlive()) {
            return;
        }
        try {
            nursery.say("kill " + number + " " + signalNumber);
        } catch (IOException e) {
            if (nurseryIsLost) {
                ProcessHandle.of(pid).ifPresent(signalNumber == SIGKILL
                        ? ProcessHandle::destroyForcibly : ProcessHandle::destroy);
            }
        }
    }
}
