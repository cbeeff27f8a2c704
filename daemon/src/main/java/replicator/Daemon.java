package replicator;

import ch.qos.logback.classic.LoggerContext;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;
import replicator.aws.AnswerBounds;
import replicator.aws.ProxiedHttpService;
import replicator.log.DaemonConsole;
import replicator.log.Event;
import replicator.log.HarmlessErrors;
import replicator.log.LogLines;
import replicator.log.Secrets;
import replicator.process.Exit;
import replicator.start.StartWatch;

/**
 * The process: what is set once for all of it, its signals and its end. Its one argument is a properties file written by
 * {@code processor/startup/daemon.py}: KCL's own properties plus the few that {@link Task} reads.
 */
public final class Daemon {
    private Daemon() {}

    public static void main(String[] args) {
        Exit exit = new Exit();
        prepare();
        // Before anything can fail: a signal during the start is a clean stop too, and has nothing to hand back.
        for (String name : new String[] {"TERM", "INT", "HUP"}) {
            sun.misc.Signal.handle(new sun.misc.Signal(name), signal -> exit.stop());
        }
        try {
            Secrets secrets = Secrets.of((LoggerContext) LoggerFactory.getILoggerFactory());
            new Task(args[0], properties(args[0]), secrets, exit).run();
        } catch (StartWatch.DeniedException e) {
            exit.becomes(Exit.TO_BE_PUT_RIGHT);
            Event.error("start_denied").with("error", e.getMessage())
                    .note("A call is denied that KCL's tables need. Nothing is replicated; the checkpoints are as they were. "
                            + "Allow it, then start again; the command policy prints all that is needed.");
        } catch (Throwable t) {
            Event.error("start_failed").with("error", t.toString()).cause(t)
                    .note("The daemon could not start. Nothing is replicated; the checkpoints are as they were. "
                            + "kcl.log beside this has the whole trace.");
        }
        exit.halt();
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

    private static Properties properties(String file) throws IOException {
        Properties properties = new Properties();
        try (InputStream input = Files.newInputStream(Path.of(file))) {
            properties.load(input);
        }
        return properties;
    }
}
