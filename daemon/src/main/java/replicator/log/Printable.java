package replicator.log;

import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Text from outside, made safe for a terminal and for one line of a log: {@code \}{@code uXXXX} stands for each character
 * that would move the cursor, turn the direction of writing, or begin a new line. processor/reporting/printable.py has the
 * same rule, and says which characters these are.
 */
final class Printable {
    private static final Pattern HIDDEN = Pattern.compile("[\\x00-\\x1F\\x7F-\\x9F\\xAD\\u0600-\\u0605\\u061C\\u06DD\\u070F"
            + "\\u0890\\u0891\\u08E2\\u180E\\u200B-\\u200F\\u2028-\\u202E\\u2060-\\u206F\\uD800-\\uDFFF\\uFEFF\\uFFF9-\\uFFFB"
            + "\\x{110BD}\\x{110CD}\\x{13430}-\\x{1343F}\\x{1BCA0}-\\x{1BCA3}\\x{1D173}-\\x{1D17A}\\x{E0001}-\\x{E007F}]");

    private Printable() {}

    /** One line, whatever {@code text} holds. */
    static String escaped(String text) {
        return HIDDEN.matcher(text).replaceAll(Printable::escape);
    }

    private static String escape(MatchResult found) {
        StringBuilder escaped = new StringBuilder();
        found.group().chars().forEach(unit -> escaped.append(String.format("\\\\u%04x", unit)));
        return escaped.toString(); // a backslash is doubled, for this is a replacement's text
    }
}
