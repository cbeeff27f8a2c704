package replicator.log;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.sift.AbstractDiscriminator;

/** The folder of the log files that a line belongs to, by the thread that logs it: its task's, or else the process's. */
public final class TaskLogs extends AbstractDiscriminator<ILoggingEvent> {
    private String processLogs;

    /** @param folder where lines go that are no task's, and all of them where the process has one task */
    public void setProcessLogs(String folder) {
        processLogs = folder;
    }

    @Override
    public String getKey() {
        return "folder";
    }

    @Override
    public String getDiscriminatingValue(ILoggingEvent event) {
        return TaskGroup.current().map(task -> task.logs().toString()).orElse(processLogs);
    }
}
