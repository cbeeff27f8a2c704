package replicator.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.Context;
import ch.qos.logback.core.LayoutBase;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.LoggerFactory;
import org.slf4j.event.KeyValuePair;

/**
 * Every line of the daemon's logs, as text or as one JSON object (logback.xml says which): our own {@link Event}s, the lines
 * of the children's stderr as they came, and what KCL and other libraries say, whose event is {@code library}.
 *
 * <p>Times, levels and names are those of processor/reporting/logs.py. Nothing that is logged can forge or hide a line: each
 * character that isn't printable is escaped, and in text the lines of a trace begin with a tab.
 */
public final class LogLines extends LayoutBase<ILoggingEvent> {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** KCL's class that logs the lines of a child's stderr, with the shard's id. */
    private static final String CHILD_LINES = "software.amazon.kinesis.multilang.DrainChildSTDERRTask";

    private static final String PROPERTIES_LISTED =
            "software.amazon.kinesis.multilang.config.KinesisClientLibConfigurator";

    /** Of the children's lines, in both forms, those that an operator must see. */
    private static final Pattern CONSOLE_LINE = Pattern.compile(
            "(\\S+ |\\{\"time\":\"[^\"]*\",\"level\":\")(NOTICE|WARNING|ERROR|CRITICAL)\\b.*", Pattern.DOTALL);

    /** A line's beginning up to its event, in both forms. */
    private static final Pattern EVENT =
            Pattern.compile("\\{\"time\":\"[^\"]*\",\"level\":\"[^\"]*\",\"event\":\"[^\"]*\"|[^{ ]\\S* \\S+ \\S+");

    private boolean json;
    private boolean traces = true;
    private Secrets secrets;

    /** Whatever configuration there is: KCL would list every property with its value, external ids too. */
    public static void hideProperties() {
        ((Logger) LoggerFactory.getLogger(PROPERTIES_LISTED)).setLevel(Level.WARN);
    }

    /** Whether a child's line goes to the console too. */
    static boolean isForConsole(String line) {
        return CONSOLE_LINE.matcher(line).matches();
    }

    /** A child's line that names its task after the event, if the process has several. */
    static String withTask(String line) {
        String task = TaskGroup.current().map(TaskGroup::getName).orElse(null);
        Matcher event = EVENT.matcher(line);
        if (task == null || !event.lookingAt()) {
            return line;
        }
        String field = line.startsWith("{") ? ",\"task\":" + written(task) : " task=" + Event.quoted(task);
        return event.group() + field + line.substring(event.end());
    }

    /** @param format json, or anything else for text */
    public void setFormat(String format) {
        json = "json".equals(format);
    }

    /** @param traces whether a text line is followed by its trace; JSON has it in a field of its own */
    public void setTraces(boolean traces) {
        this.traces = traces;
    }

    @Override
    public void setContext(Context context) {
        super.setContext(context);
        secrets = Secrets.of(context);
    }

    @Override
    public String doLayout(ILoggingEvent event) {
        Object[] arguments = event.getArgumentArray();
        String line = event.getLoggerName().equals(CHILD_LINES) && arguments != null
                ? childLine(event, String.valueOf(arguments[0]), String.valueOf(arguments[1]))
                : json ? object(event) : text(event);
        return secrets.hidden(line) + "\n";
    }

    /** KCL wraps a sentence of its own around it. What is no event, as the interpreter's last words, becomes one in JSON. */
    private String childLine(ILoggingEvent event, String line, String shardId) {
        if (!json || line.startsWith("{\"time\":")) {
            // A tab begins each line of a child's trace.
            return line.startsWith("\t") ? "\t" + Printable.escaped(line.substring(1)) : Printable.escaped(line);
        }
        Map<String, Object> fields = fields(event);
        fields.put(Event.NAME, "child_output");
        if (!shardId.isEmpty()) {
            fields.put("shard", shardId);
        }
        fields.put("message", line);
        return written(fields);
    }

    private String text(ILoggingEvent event) {
        String line = Printable.escaped(isOurs(event)
                ? String.format("%s %s %s", time(event), level(event), event.getFormattedMessage())
                : String.format("%s %s [%s] %s %s", time(event), level(event), event.getThreadName(),
                        event.getLoggerName(), event.getFormattedMessage()));
        return traces && event.getThrowableProxy() != null ? line + indented(trace(event)) : line;
    }

    private static String object(ILoggingEvent event) {
        Map<String, Object> fields = fields(event);
        if (isOurs(event)) {
            for (KeyValuePair pair : event.getKeyValuePairs()) {
                fields.put(pair.key, pair.value);
            }
        } else {
            fields.put(Event.NAME, "library");
            fields.put("logger", event.getLoggerName());
            fields.put("thread", event.getThreadName());
            fields.put("message", event.getFormattedMessage());
        }
        if (event.getThrowableProxy() != null) {
            fields.put("trace", trace(event));
        }
        return written(fields);
    }

    /** The first two, in the order that {@link #CONSOLE_LINE} looks for. */
    private static Map<String, Object> fields(ILoggingEvent event) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("time", time(event));
        fields.put("level", level(event));
        return fields;
    }

    private static boolean isOurs(ILoggingEvent event) {
        return event.getKeyValuePairs() != null
                && event.getKeyValuePairs().stream().anyMatch(pair -> pair.key.equals(Event.NAME));
    }

    private static String time(ILoggingEvent event) {
        return TIME.format(Instant.ofEpochMilli(event.getTimeStamp()));
    }

    private static String level(ILoggingEvent event) {
        if (event.getMarkerList() != null && event.getMarkerList().contains(Event.NOTICE)) {
            return "NOTICE";
        }
        return event.getLevel() == Level.WARN ? "WARNING" : event.getLevel().toString();
    }

    private static String trace(ILoggingEvent event) {
        return ThrowableProxyUtil.asString(event.getThrowableProxy()).stripTrailing();
    }

    /** No line of it looks like one of the log's own, whatever the failure's message holds. */
    private static String indented(String trace) {
        return trace.lines().map(line -> "\n\t" + Printable.escaped(line.strip())).collect(Collectors.joining());
    }

    private static String written(Object value) {
        try {
            return Printable.escaped(JSON.writeValueAsString(value));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("BUG: texts and numbers are always JSON", e);
        }
    }
}
