package replicator.aws;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.kinesis.multilang.config.KclConfiguration;

/**
 * Says of each line of standard input, an element of {@code AwsCredentialsProvider}'s list, what KCL would make of it:
 * {@code processor/startup/credentials_providers.py} asks, for KCL itself passes over whatever it can't use and ends without any
 * credentials. The elements come by standard input, because one may have a secret among its arguments.
 */
final class ProviderCheck {
    /** How an answer's line begins; whatever a class prints when it is loaded is none. */
    private static final String ANSWER = "provider ";

    /** Where KCL looks for a class by its short name, and the interface of the SDK's version 1, which KCL took until 2.x. */
    private static final String[] PACKAGES = {
        "software.amazon.kinesis.multilang.auth.", "software.amazon.awssdk.auth.credentials.", ""};
    private static final String VERSION_1 = "com.amazonaws.auth.";

    /** KCL has a class of its own for this name. */
    private static final String ASSUMED_ROLE = "StsAssumeRoleCredentialsProvider";

    private ProviderCheck() {}

    public static void main(String[] args) throws IOException {
        ((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).setLevel(Level.OFF); // KCL would list the arguments
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            System.out.println(ANSWER + verdict(line));
        }
        System.out.flush();
        Runtime.getRuntime().halt(0); // a provider may have started threads
    }

    private static String verdict(String element) {
        try {
            KclConfiguration.credentialsProvider(element);
            return "usable";
        } catch (RuntimeException | LinkageError e) { // a chain of no providers
            String name = element.split("\\|")[0].trim();
            if (name.equals(ASSUMED_ROLE) || Stream.of(PACKAGES).anyMatch(prefix -> isProvider(prefix + name))) {
                return "unmakeable";
            }
            if (name.startsWith(VERSION_1)) {
                return "version1";
            }
            return Stream.of(PACKAGES).anyMatch(prefix -> isFound(prefix + name)) ? "other" : "missing";
        }
    }

    private static boolean isProvider(String name) {
        try {
            return AwsCredentialsProvider.class.isAssignableFrom(find(name));
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    private static boolean isFound(String name) {
        try {
            return find(name) != null;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    private static Class<?> find(String name) throws ClassNotFoundException {
        return Class.forName(name, false, ProviderCheck.class.getClassLoader());
    }
}
