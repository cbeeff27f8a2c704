package replicator.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/** Hears what the daemon's own classes say during each test. */
public final class Said implements BeforeEachCallback, AfterEachCallback {
    private final ListAppender<ILoggingEvent> appender = new ListAppender<>();
    private final Logger log = (Logger) LoggerFactory.getLogger("replicator");

    @Override
    public void beforeEach(ExtensionContext context) {
        log.setLevel(Level.INFO);
        appender.start();
        log.addAppender(appender);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        log.detachAppender(appender);
        log.setLevel(null);
    }

    public List<ILoggingEvent> events() {
        return appender.list;
    }

    /** The events' names. */
    public List<String> names() {
        return appender.list.stream().map(each -> each.getFormattedMessage().split(" ")[0]).collect(Collectors.toList());
    }
}
