package replicator.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.core.ContextBase;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What has the form of a secret is hidden, in a time that grows as the text does. tests/unit/reporting/test_secrets.py has the like. */
class SecretsTest {
    /** An endpoint may say 256 K of them; what is looked at for each is seen in fewer. */
    private static final int HOSTILE_CHARACTERS = 32 * 1024;

    /** Looks at each character; more would be a search that begins again and again. */
    private static final int LOOKS = 10;

    private static String hidden(String text) {
        return Secrets.of(new ContextBase()).hidden(text);
    }

    @ParameterizedTest
    @CsvSource({
        "http://user:SECRET@proxy:3128, http://***@proxy:3128",
        "https://:SECRET@proxy, https://***@proxy",
        "http://SECRET@proxy/, http://***@proxy/",
        "http://us%40er:SECRET/=+'@SECRET:SECRET@proxy:1 (refused), http://***@proxy:1 (refused)",
        "{\"reason\":\"http://u:SECRET@h\"}, {\"reason\":\"http://***@h\"}",
        "\"a http://u:SECRET@h\\n\", \"a http://***@h\\n\"",
    })
    void theLoginOfAUrlIsHidden(String text, String shown) {
        assertEquals(shown, hidden(text));
        String longer = "x".repeat(5_000);
        assertFalse(hidden(text.replace("SECRET", longer)).contains("xx"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://streams.dynamodb.eu-west-1.amazonaws.com:443/: short", "mail me@example.com at 12:00",
        "s3://bucket/prefix", "://", "@", "http://h:1/ and me@example.com"})
    void otherWordsStay(String text) {
        assertEquals(text, hidden(text));
    }

    @Test
    void theCostGrowsAsTheText() {
        Stream.of("://", "://:", "://a:", "://a:b ", "://@", "@", ":", "a", "x-amz-security-token", "x-amz-security-token ",
                "x-amz-security-token='", "secret_access_key ", "aws_session_token= ", "://a:b@").forEach(each -> {
                    for (String end : new String[] {"", "@", " @"}) {
                        String text = each.repeat(HOSTILE_CHARACTERS / each.length()) + end;
                        assertBounded(text, Secrets::withoutLogins);
                        for (Pattern form : Secrets.FORMS) {
                            assertBounded(text, counted -> Secrets.without(form, counted));
                        }
                    }
                });
        String blanks = "x-amz-security-token" + " ".repeat(HOSTILE_CHARACTERS);
        for (Pattern form : Secrets.FORMS) {
            assertBounded(blanks, counted -> Secrets.without(form, counted));
        }
    }

    private static void assertBounded(String text, Function<CharSequence, String> act) {
        Counted counted = new Counted(text);
        act.apply(counted);
        assertTrue(counted.looks <= (long) LOOKS * text.length(),
                counted.looks + " looks at " + text.length() + " characters: " + text.substring(0, 30));
    }

    /** A text that counts how often it is looked at. */
    private static final class Counted implements CharSequence {
        private final String text;
        private long looks;

        Counted(String text) {
            this.text = text;
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public char charAt(int index) {
            looks++;
            return text.charAt(index);
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.subSequence(start, end);
        }

        @Override
        public String toString() {
            return text;
        }
    }
}
