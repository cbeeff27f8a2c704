package replicator.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A helper process: what it is told and says, and that there is one. */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class KeptProcessTest {
    private final BlockingQueue<String> said = new LinkedBlockingQueue<>();
    private KeptProcess kept;
    private Thread keeping;

    private void keep(String... command) {
        kept = new KeptProcess("test", command, () -> kept.say("introduced"), said::add, (how, again) -> said.add("lost: " + how));
        keeping = new Thread(() -> {
            try {
                kept.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        keeping.start();
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
