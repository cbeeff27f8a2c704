package replicator.log;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.MarkerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * One thing that an operator is told: a constant name, fields, and a sentence about it. processor/reporting/logs.py
 * writes the same for the children.
 *
 * <p>It is logged twice over: the message is the line's text, for any logback pattern, and each field stands beside it under
 * its name, for {@link LogLines} and whatever else writes JSON.
 */
public final class Event {
    /** Between INFO and WARN, which SLF4J has no level for. */
    static final Marker NOTICE = MarkerFactory.getMarker("NOTICE");

    /** The field that has the event's name. */
    static final String NAME = "event";

    private static final Logger LOG = LoggerFactory.getLogger("replicator");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern PLAIN = Pattern.compile("[a-zA-Z0-9_.:/+%-]+");

    private final LoggingEventBuilder builder;
    private final StringBuilder text;

    private Event(LoggingEventBuilder builder, String name) {
        this.builder = builder.addKeyValue(NAME, name);
        this.text = new StringBuilder(name);
        TaskGroup.current().ifPresent(task -> with("task", task.getName()));
    }

    /** That all is well. */
    public static Event info(String name) {
        return new Event(LOG.atInfo(), name);
    }

    /** Rare, and worth a look. */
    public static Event notice(String name) {
        return new Event(LOG.atInfo().addMarker(NOTICE), name);
    }

    /** Something to act on, if it stays. */
    public static Event warning(String name) {
        return new Event(LOG.atWarn(), name);
    }

    /** The end of this process, or of a shard's replication. */
    public static Event error(String name) {
        return new Event(LOG.atError(), name);
    }

    /** @param value a number or a boolean as such, anything else as its text; nothing is logged of null */
    public Event with(String field, Object value) {
        if (value != null) {
            Object typed = value instanceof Number || value instanceof Boolean ? value : value.toString();
            builder.addKeyValue(field, typed);
            text.append(' ').append(field).append('=').append(quoted(typed.toString()));
        }
        return this;
    }

    /** The trace goes to kcl.log, and with logFormat=json to the console too. */
    public Event cause(Throwable cause) {
        builder.setCause(cause);
        return this;
    }

    /** Writes it. The sentence says what it means and what to do. */
    public void note(String sentence) {
        with("note", sentence);
        builder.setMessage(text.toString()).log();
    }

    /** A field's value as text lines have it. */
    static String quoted(String value) {
        if (PLAIN.matcher(value).matches()) {
            return value;
        }
        try {
            return Printable.escaped(JSON.writeValueAsString(value));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("BUG: a string is always JSON", e);
        }
    }
}
