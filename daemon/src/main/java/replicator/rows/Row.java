package replicator.rows;

import java.util.Map;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** One row of the task table. An attribute that isn't as it was written is refused, with the row's name and its own. */
public final class Row {
    private final String name;
    private final Map<String, AttributeValue> attributes;

    Row(String name, Map<String, AttributeValue> attributes) {
        this.name = name;
        this.attributes = attributes;
    }

    /** Whether there is no such row. */
    public boolean isMissing() {
        return attributes.isEmpty();
    }

    /** @throws IllegalStateException if the row has it as another type, or not at all */
    public String text(String attribute) {
        return is(attribute, attributes.containsKey(attribute) ? attributes.get(attribute).s() : null, "text");
    }

    /** As {@link #text}; an attribute that an earlier version did not write is {@code otherwise}. */
    public String text(String attribute, String otherwise) {
        return attributes.containsKey(attribute) ? text(attribute) : otherwise;
    }

    /**
     * A time in milliseconds since the epoch.
     *
     * @throws IllegalStateException if the row has none there
     */
    public long millis(String attribute) {
        String digits = attributes.containsKey(attribute) ? attributes.get(attribute).n() : null;
        boolean isTime = digits != null && digits.matches("[0-9]{1,15}"); // so that no sum of two is too large
        return Long.parseLong(is(attribute, isTime ? digits : null, "time in milliseconds"));
    }

    /** As {@link #text}, of a boolean; false where an earlier version did not write it. */
    public boolean flag(String attribute) {
        return attributes.containsKey(attribute) && is(attribute, attributes.get(attribute).bool(), "boolean");
    }

    private <T> T is(String attribute, T value, String what) {
        if (value == null) {
            throw new IllegalStateException("The row " + name + " of the task table has no " + what + " as its " + attribute
                    + ": another program has written it, or the answer is not DynamoDB's");
        }
        return value;
    }
}
