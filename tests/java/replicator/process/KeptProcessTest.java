package replicator.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** A helper process: what it is told and says, and that there is one. */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class KeptProcessTest {
    private final BlockingQueue<String> said = new LinkedBlockingQueue<>();
    private KeptProcess kept;
    private Thread keeping;

    private void keep(String... command) {
        kept = new KeptProcess("test", command, () -> kept.say("introduced"), this::hear, (how, again) -> said.add("lost: " + how));
        keeping = new Thread(() -> {
            try {
                kept.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        keeping.start();
    }

    /** As whoever hears a path does. */
    private void hear(String line) {
        said.add(URLDecoder.decode(line, StandardCharsets.UTF_8));
    }

    /** The reader is the thread that keeps the process: it is neither ended nor started anew. */
    @Test
    void sayingWhatCanNotBeUnderstoodEndsNothing() throws InterruptedException {
        Logger log = (Logger) LoggerFactory.getLogger("replicator");
        ListAppender<ILoggingEvent> events = new ListAppender<>();
        events.start();
        log.setLevel(Level.INFO);
        log.addAppender(events);
        try {
            keep("sh", "-c", "echo %zz; cat");
            assertEquals("introduced", said.take());
            kept.say("more");
            assertEquals("more", said.take());
            kept.close();
            keeping.join();
            assertEquals(1, events.list.size());
            String message = events.list.get(0).getFormattedMessage();
            assertTrue(message.startsWith("thread_failed thread=test error="), message);
            assertTrue(message.contains("line=%zz"), message);
        } finally {
            log.detachAppender(events);
            log.setLevel(null);
        }
    }

    @Test
    void isToldAndHeardUntilItIsClosed() throws InterruptedException {
        keep("cat");
        assertEquals("introduced", said.take());
        kept.say("more");
        assertEquals("more", said.take());
        assertTrue(kept.isRunning());
        kept.close();
        keeping.join();
        assertTrue(said.isEmpty(), said.toString());
    }

    @Test
    void isStartedAgainAndToldAnew() throws InterruptedException {
        keep("sh", "-c", "read line; echo $line; exit 3");
        for (int start = 0; start < 2; start++) {
            assertEquals("introduced", said.take());
            assertEquals("lost: ended with 3", said.take());
        }
        kept.close();
        keeping.join();
    }

    @Test
    void isTriedAgainWhereItCanNotBeStarted() throws InterruptedException {
        keep("/no/such/program");
        String lost = said.take();
        assertTrue(lost.startsWith("lost: can't be started ("), lost);
        kept.say("nobody hears it");
        kept.close();
        keeping.join();
    }
}
