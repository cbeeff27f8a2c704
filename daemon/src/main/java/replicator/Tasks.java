package replicator;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import replicator.log.Event;
import replicator.process.Exit;
import replicator.process.KeptProcess;
import replicator.process.SlotLock;
import replicator.process.TaskThreads;

/**
 * Many tasks in one process, each begun and ended as the keeper says ({@code processor/cli/keeper.py}), which reads their files
 * and looks at what each needs. Tasks that run go on without it. Its words are of a line each:
 *
 * <pre>
 *   keeper ─▶ start 3 NAME PROPERTIES FILE   its log files lie beside its properties; FILE is told back
 *          ─▶ stop 3
 *          ◀─ ended 3 5                      its exit status, whether it was stopped or ended by itself
 *          ◀─ running 3 PROPERTIES FILE      to a keeper that has begun again
 *          ◀─ begin                          all that runs is told
 *          ◀─ reload                         a person has asked for a look at the files (SIGHUP)
 * </pre>
 *
 * <p>Names and paths are percent-encoded. A task that fails ends alone.
 */
final class Tasks {
    /** What a task needs for its end, past its own grace, before the process ends without it. */
    private static final long SPARE_MILLIS = 60_000;

    /** How long KCL may take to end once it waits for no shard any more, before its threads are interrupted. */
    private static final long ABANDONED_MILLIS = 15_000;

    private static final long AGAIN_MILLIS = 1_000;

    private static final Logger LOG = LoggerFactory.getLogger(Tasks.class);

    private final Common common;
    private final KeptProcess keeper;
    private final Map<String, Running> running = new ConcurrentHashMap<>();
    private volatile int status = Exit.STOPPED;

    /** @param keeper its command */
    Tasks(String[] keeper, Common common) {
        this.common = common;
        this.keeper = new KeptProcess("keeper", keeper, this::introduce, this::hear, Tasks::sayLost);
    }

    private final class Running {
        private final String number;
        private final String files;
        private final SlotLock slot;
        private final TaskThreads threads;
        private final TaskRun run;
        private final CountDownLatch over = new CountDownLatch(1);

        Running(String number, String name, String properties, String from) {
            String file = URLDecoder.decode(properties, StandardCharsets.UTF_8);
            this.number = number;
            this.files = properties + " " + from;
            this.slot = new SlotLock(Path.of(file).getParent());
            this.threads = new TaskThreads(URLDecoder.decode(name, StandardCharsets.UTF_8), Path.of(file).getParent());
            this.run = new TaskRun(file, common, this::end);
        }

        void start() {
            slot.take();
            threads.start("task", () -> {
                run.run();
                over();
            });
        }

        /** On a thread of the task's own, so that its lines are the task's. */
        void end() {
            try {
                threads.start("task-end", this::finish);
            } catch (IllegalThreadStateException e) {
                LOG.debug("The task has ended by itself", e);
            }
        }

        private void finish() {
            run.end();
            run.abandon();
            try {
                while (!over.await(run.isBegun() ? ABANDONED_MILLIS : 0, TimeUnit.MILLISECONDS)) {
                    threads.end(); // whatever its thread still waits for
                    over.await(AGAIN_MILLIS, TimeUnit.MILLISECONDS);
                }
            } catch (InterruptedException e) { // by its thread, which has come to its end
                Thread.currentThread().interrupt();
            }
        }

        private void over() {
            Thread.interrupted(); // it has done what it was to do
            run.close();
            threads.end();
            running.remove(number);
            slot.release();
            keeper.say("ended " + number + " " + run.status());
            over.countDown();
        }
    }

    /** Returns when {@link #end} was called. */
    void run() {
        try {
            keeper.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** @throws RuntimeException it can't be understood: {@code keeper} says so */
    private void hear(String line) {
        String[] words = line.split(" ");
        if (words[0].equals("start") && words.length == 5) {
            Running task = new Running(words[1], words[2], words[3], words[4]);
            running.put(words[1], task);
            common.placements().begins(words[3]);
            task.start();
        } else if (words[0].equals("stop") && words.length == 2) {
            Running task = running.get(words[1]);
            if (task != null) {
                task.run.ask();
                task.end();
            }
        } else {
            throw new IllegalArgumentException("a word that nobody knows");
        }
    }

    private void introduce() {
        running.values().forEach(task -> keeper.say("running " + task.number + " " + task.files));
        keeper.say("begin");
    }

    private static void sayLost(String end, long againSeconds) {
        Event.warning("task_keeper_ended").with("end", end).with("again_in_seconds", againSeconds)
                .note("The tasks that run go on. Changed files, and tasks that wait to be started, are seen to when the "
                        + "process that keeps them is started again. replication.log has what it said.");
    }

    void reload() {
        keeper.say("reload");
    }

    /** The end is asked for. */
    void ask() {
        running.values().forEach(task -> task.run.ask());
    }

    /** Returns when all have ended. */
    void end() {
        keeper.close();
        running.values().forEach(Running::end);
        for (Running task : running.values()) {
            try {
                boolean isOver = task.over.await(task.run.graceMillis() + SPARE_MILLIS, TimeUnit.MILLISECONDS);
                status = Math.max(status, isOver ? task.run.status() : Exit.FAILED);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** The worst of the tasks' that were there at the end. */
    int status() {
        return status;
    }
}
