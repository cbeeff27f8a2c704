package replicator.process;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds the folder of a task while it runs in this process, whatever becomes of the keeper, which has claimed it: else a
 * second daemon on this machine could claim it between two keepers.
 *
 * <p>It is a lock of POSIX's, beside the keeper's of flock's; {@code claim_slot} of {@code processor/startup/slot.py} heeds
 * both.
 */
public final class SlotLock {
    private static final String FILE = "daemon.lock";
    private static final Logger LOG = LoggerFactory.getLogger(SlotLock.class);

    private final Path file;
    private FileChannel held;

    /** @param folder of the task, with its properties */
    public SlotLock(Path folder) {
        this.file = folder.resolve(FILE);
    }

    /** Without it the task runs all the same. */
    public synchronized void take() {
        try {
            held = FileChannel.open(file, StandardOpenOption.WRITE);
            if (held.tryLock() == null) {
                LOG.debug("{} is locked by another process", file);
            }
        } catch (IOException | OverlappingFileLockException e) {
            LOG.debug("{} can't be locked", file, e);
        }
    }

    public synchronized void release() {
        if (held == null) {
            return;
        }
        try {
            held.close();
        } catch (IOException e) {
            LOG.debug("{} can't be closed", file, e);
        }
    }
}
