// What becomes of KCL's ERROR lines: for each rule of HarmlessErrors a line of its logger, its format and the levels that an
// ERROR of that origin has in the end: with any of the harmless causes, with another cause, and in other words.
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.slf4j.LoggerFactory;
import replicator.log.HarmlessErrors;
import replicator.log.NotYetException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.kinesis.leases.exceptions.DependencyException;

public final class JavaErrors {
    private static final List<String> LEVELS = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        Logger root = context.getLogger("ROOT");
        root.detachAndStopAllAppenders();
        root.setLevel(Level.ALL);
        AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
            @Override
            protected void append(ILoggingEvent event) {
                LEVELS.add(event.getLevel() + (event.getThrowableProxy() == null ? "" : "+trace"));
            }
        };
        appender.setContext(context);
        appender.start();
        root.addAppender(appender);
        HarmlessErrors.install();
        Field rules = HarmlessErrors.class.getDeclaredField("RULES");
        rules.setAccessible(true);
        for (Object rule : (List<?>) rules.get(null)) {
            String logger = field(rule, "logger");
            String format = field(rule, "format");
            for (Throwable error : harmless()) {
                log(logger, format, error);
            }
            String lowered = String.join(",", LEVELS);
            LEVELS.clear();
            log(logger, format, new IllegalStateException("something else"));
            log(logger, format + " Else.", harmless().get(0));
            log(logger + "Else", format, harmless().get(0));
            System.out.println(String.join("\t", logger, format, lowered, String.join(",", LEVELS)));
            LEVELS.clear();
        }
    }

    private static List<Throwable> harmless() {
        return Arrays.asList(
                new IllegalStateException("LeaderDecider uninitialized"),
                new NotYetException("not yet"),
                new RuntimeException(new InterruptedException()),
                SdkClientException.create("refused"),
                new DependencyException(new Exception("throttled")),
                null);
    }

    /** As KCL does it: the cause last, behind as many parameters as the message has places. */
    private static void log(String logger, String format, Throwable error) {
        int places = format.split("\\{\\}", -1).length - 1;
        Object[] parameters = new Object[places + 1];
        Arrays.fill(parameters, "a");
        parameters[places] = error;
        LoggerFactory.getLogger(logger).error(format, parameters);
    }

    private static String field(Object rule, String name) throws Exception {
        Field field = rule.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return (String) field.get(rule);
    }
}
