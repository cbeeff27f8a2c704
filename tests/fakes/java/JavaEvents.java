// What the daemon's classes make of an event: each line of input is its kind (notice, warning, child, library, failure, console),
// then what it is made of, all in base64; the answer is its line as text and as JSON, in base64.
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;
import replicator.log.DaemonConsole;
import replicator.log.Event;
import replicator.log.LogLines;

public final class JavaEvents {
    public static void main(String[] args) throws Exception {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        Logger root = context.getLogger("ROOT");
        root.detachAndStopAllAppenders();
        LogLines text = new LogLines();
        LogLines json = new LogLines();
        text.setContext(context);
        json.setContext(context);
        json.setFormat("json");
        AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
            @Override
            protected void append(ILoggingEvent event) {
                System.out.println(encode(text.doLayout(event)) + " " + encode(json.doLayout(event)));
                System.out.flush();
            }
        };
        appender.setContext(context);
        appender.start();
        root.addAppender(appender);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = input.readLine()) != null; ) {
            log(Stream.of(line.split(" ", -1)).map(JavaEvents::decode).toArray(String[]::new));
        }
    }

    private static void log(String[] parts) throws Exception {
        switch (parts[0]) {
            case "console":
                ByteArrayOutputStream console = new ByteArrayOutputStream();
                PrintStream stream = new DaemonConsole(new PrintStream(console, true, StandardCharsets.UTF_8));
                stream.println(parts[1]);
                String line = console.toString(StandardCharsets.UTF_8);
                console.reset();
                stream.println((Object) parts[1]);
                System.out.println(encode(line + "\n") + " " + encode(console.toString(StandardCharsets.UTF_8)));
                System.out.flush();
                return;
            case "child":
                LoggerFactory.getLogger("software.amazon.kinesis.multilang.DrainChildSTDERRTask")
                        .error("Received error line from subprocess [{}] for shard {}", parts[2], parts[1]);
                return;
            case "library":
                LoggerFactory.getLogger("some.Library").warn(parts[1]);
                return;
            case "failure":
                LoggerFactory.getLogger("some.Library").error("failed", new IllegalStateException(parts[1]));
                return;
            default:
                Event event = event(parts[0], parts[1]);
                for (int i = 2; i + 1 < parts.length; i += 2) {
                    event.with(parts[i], parts[i + 1]);
                }
                event.with("count", 3L).note(parts[parts.length - 1]);
        }
    }

    private static Event event(String level, String name) {
        switch (level) {
            case "info":
                return Event.info(name);
            case "notice":
                return Event.notice(name);
            case "warning":
                return Event.warning(name);
            default:
                return Event.error(name);
        }
    }

    private static String encode(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String decode(String text) {
        return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
    }
}
