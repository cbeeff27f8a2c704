package replicator.process;

import replicator.log.Event;

/** The process that looks after tasks ({@code processor/caretaker/process.py}), where their settings ask for it. */
public final class CaretakerProcess extends TasksProcess {
    /** @param command split at spaces; null where no task asks for it */
    public CaretakerProcess(String command) {
        super("caretaker", command, CaretakerProcess::sayLost);
    }

    private static void sayLost(String end, long againSeconds) {
        Event.warning("caretaker_process_ended").with("end", end).with("again_in_seconds", againSeconds)
                .note("Replication goes on. The process that looks after the task is started again, and what it was doing goes on "
                        + "where it was; another daemon of the task may do so before. replication.log has what it said.");
    }
}
