package replicator.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** A text of a child, a library or a failure, as text and as JSON: nothing in it forges a line, or speaks to a terminal. */
public final class LinesTarget {
    private static final LoggerContext CONTEXT = new LoggerContext();
    private static final LogLines TEXT = lines("text");
    private static final LogLines JSON = lines("json");
    private static final ObjectMapper PARSER = new ObjectMapper();
    private static final String SECRET = "a-secret-of-somebody/0123456789";

    private LinesTarget() {}

    private static LogLines lines(String format) {
        LogLines made = new LogLines();
        made.setContext(CONTEXT);
        made.setFormat(format);
        Secrets.of(CONTEXT).remember(SECRET);
        return made;
    }

    /** Loads classes, which takes longer than an input may. */
    public static void fuzzerInitialize() throws IOException {
        fuzzerTestOneInput("{}".getBytes(StandardCharsets.UTF_8));
    }

    public static void fuzzerTestOneInput(byte[] data) throws IOException {
        String said = new String(data, StandardCharsets.UTF_8);
        for (LoggingEvent event : new LoggingEvent[] {
            event("some.Library", said, null),
            event("some.Library", "failed", new IllegalStateException(said)),
            event("software.amazon.kinesis.multilang.DrainChildSTDERRTask", "{} of {}", null, said, "shard")}) {
            look(TEXT.doLayout(event), said);
            String line = JSON.doLayout(event);
            look(line, said);
            if (!said.startsWith("{\"time\":") || !event.getLoggerName().startsWith("software")) {
                PARSER.readTree(line);
            }
        }
        LogLines.isForConsole(said);
    }

    private static LoggingEvent event(String logger, String message, Throwable cause, Object... arguments) {
        Logger named = CONTEXT.getLogger(logger);
        return new LoggingEvent("fqcn", named, Level.ERROR, message, cause, arguments);
    }

    private static void look(String lines, String said) {
        check(lines.endsWith("\n"), said);
        check(!lines.contains(SECRET), said);
        for (String line : lines.substring(0, lines.length() - 1).split("\n", -1)) {
            String rest = line.startsWith("\t") ? line.substring(1) : line;
            check(Printable.escaped(rest).equals(rest), said);
        }
        check(lines.indexOf('\n') == lines.length() - 1 || lines.indexOf("\n\t") > 0, said);
    }

    private static void check(boolean holds, String said) {
        if (!holds) {
            throw new AssertionError("this makes more of a line than a line: " + said);
        }
    }
}
