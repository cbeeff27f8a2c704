package replicator;

import java.io.IOException;
import java.util.Properties;
import org.slf4j.bridge.SLF4JBridgeHandler;
import replicator.aws.AnswerBounds;
import replicator.aws.ProxiedHttpService;
import replicator.log.DaemonConsole;
import replicator.log.Event;
import replicator.log.HarmlessErrors;
import replicator.log.LogLines;
import replicator.process.Exit;

/**
 * The process: what is set once for all of it, its signals and its end. Its one argument is a properties file written by
 * {@code processor/startup/daemon.py}: that of its task, with KCL's own properties too, or that of a daemon of many tasks.
 */
public final class Daemon {
    private Daemon() {}

    public static void main(String[] args) {
        // Before anything else: there is nothing yet to hand back, and a stop that is asked for ends with its own status.
        onSignals(() -> { }, "TERM", "INT");
        prepare();
        Properties properties = properties(args[0]);
        Common common = new Common(properties);
        String keeper = properties.getProperty("keeperExecutable");
        if (keeper == null) {
            one(args[0], common);
        } else {
            if (properties.containsKey("metricsPort")) {
                common.metrics().start(); // whatever becomes of the tasks
            }
            many(keeper, common);
        }
    }

    /** The task's end is the process's. */
    private static void one(String file, Common common) {
        TaskRun task = new TaskRun(file, common, () -> System.exit(Exit.FAILED));
        boolean isStopped = !atEnd(() -> {
            common.ending();
            task.end();
            common.close();
            Runtime.getRuntime().halt(task.status());
        });
        if (isStopped) {
            return;
        }
        // Before anything can fail: a signal during the start is a clean stop too, and has nothing to hand back.
        onSignals(task::ask, "TERM", "INT", "HUP");
        task.run();
        Runtime.getRuntime().halt(task.status());
    }

    private static void many(String keeper, Common common) {
        Tasks tasks = new Tasks(keeper.split(" +"), common);
        boolean isStopped = !atEnd(() -> {
            common.ending();
            tasks.end();
            common.close();
            Runtime.getRuntime().halt(tasks.status());
        });
        if (isStopped) {
            return;
        }
        onSignals(tasks::ask, "TERM", "INT");
        sun.misc.Signal.handle(new sun.misc.Signal("HUP"), signal -> tasks.reload());
        tasks.run();
    }

    /** Returns false where the end has begun already: a signal was faster, and nothing must be begun any more. */
    private static boolean atEnd(Runnable end) {
        try {
            Runtime.getRuntime().addShutdownHook(new Thread(end, "shutdown"));
            return true;
        } catch (IllegalStateException e) { // Java's word for an end that has begun
            return false;
        }
    }

    private static void onSignals(Runnable asked, String... names) {
        for (String name : names) {
            sun.misc.Signal.handle(new sun.misc.Signal(name), signal -> {
                asked.run();
                System.exit(Exit.STOPPED); // runs the shutdown hook, which ends the process with its own status
            });
        }
    }

    /** What libraries keep for the whole process. */
    private static void prepare() {
        System.setErr(new DaemonConsole(System.err));
        LogLines.hideProperties();
        HarmlessErrors.install();
        AnswerBounds.install();
        ProxiedHttpService.install();
        Thread.setDefaultUncaughtExceptionHandler((thread, t) -> Event.error("thread_failed")
                .with("thread", thread.getName()).with("error", t.toString()).cause(t)
                .note("BUG: a thread of the daemon ended. Please report it, with the trace in kcl.log."));
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install(); // parts of the adapter log to java.util.logging, which means the console
    }

    private static Properties properties(String file) {
        try {
            return TaskRun.properties(file);
        } catch (IOException e) {
            Event.error("start_failed").with("error", e.toString()).cause(e)
                    .note("The daemon's own file can't be read. Nothing is replicated; the checkpoints are as they were.");
            Runtime.getRuntime().halt(Exit.FAILED);
            throw new IllegalStateException(e);
        }
    }
}
