package replicator.log;

import ch.qos.logback.core.Context;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Takes secrets out of what is logged, as processor/reporting/secrets.py does: those that were given out as credentials,
 * and what has the form of one. An exception of some library may quote either.
 *
 * <p>There is one of it for all that a process logs. Logback makes the lines' layouts itself, so it is kept in logback's context,
 * where they find it.
 */
public final class Secrets {
    private static final String HIDDEN = "***";
    private static final String NAME = Secrets.class.getName();

    /** A shorter text may be a word of any message. */
    private static final int LEAST_CHARACTERS = 16;

    private static final int MOST = 64;
    static final Pattern[] FORMS = {
        Pattern.compile("(?i)(x-amz-security-token['\"]?\\s*[:=]\\s*b?['\"]?)[^\\s'\",;\\\\]+"),
        Pattern.compile("(?i)(x-amz-security-token['\"]?\\s*,\\s*b?['\"])[^'\"\\\\]+"),
        Pattern.compile("(?i)((?:aws_)?(?:secret_access_key|session_token)\\s*[:=]\\s*['\"]?)[^\\s'\",;\\\\]+"),
    };

    /**
     * The user and password of a URL: a password may be a token of any length, and may have an unescaped @. In two steps, each
     * of which looks at each character a few times at most: as one pattern it would read on from each :// to the end of an
     * endpoint's words, which may be 256 KB of them.
     */
    private static final Pattern WORD = Pattern.compile("[^\\s\"\\\\]+");

    private static final Pattern LOGIN = Pattern.compile("://[^/:@]*[:@]");
    private final Set<String> known = Collections.newSetFromMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > MOST;
        }
    });
    private volatile List<String> longestFirst = List.of();

    private Secrets() {}

    /** Those of all that is logged. */
    public static Secrets of(Context logs) {
        synchronized (logs) {
            Object found = logs.getObject(NAME);
            if (found == null) {
                found = new Secrets();
                logs.putObject(NAME, found);
            }
            return (Secrets) found;
        }
    }

    /** Has these replaced from now on. */
    public synchronized void remember(String... secrets) {
        for (String secret : secrets) {
            if (secret != null) {
                Stream.of(secret, secret.strip()).filter(form -> form.length() >= LEAST_CHARACTERS).forEach(known::add);
            }
        }
        longestFirst = known.stream().sorted((a, b) -> b.length() - a.length()).collect(Collectors.toUnmodifiableList());
    }

    String hidden(String text) {
        String hidden = text;
        for (String secret : longestFirst) {
            hidden = hidden.replace(secret, HIDDEN);
        }
        for (Pattern form : FORMS) {
            hidden = without(form, hidden);
        }
        return withoutLogins(hidden);
    }

    static String without(Pattern form, CharSequence text) {
        return form.matcher(text).replaceAll("$1" + HIDDEN);
    }

    /** Hides what stands in each word between the first URL's :// and the last @. */
    static String withoutLogins(CharSequence text) {
        StringBuilder hidden = new StringBuilder();
        int from = 0;
        Matcher word = WORD.matcher(text);
        Matcher login = LOGIN.matcher(text);
        while (word.find()) {
            int end = word.end();
            while (end > word.start() && text.charAt(end - 1) != '@') {
                end--;
            }
            if (login.region(word.start(), end).find()) {
                hidden.append(text, from, login.start()).append("://").append(HIDDEN);
                from = end - 1;
            }
        }
        return hidden.append(text, from, text.length()).toString();
    }
}
