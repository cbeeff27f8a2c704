package replicator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The process, by its exit status and what it says. */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class DaemonTest {
    /** TERM may come before the daemon has said what its end is to do: it ends with its own status, and nobody is alarmed. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void stoppingBeforeItHasBegun(boolean hasManyTasks, @TempDir Path folder) throws IOException, InterruptedException {
        Properties properties = new Properties();
        properties.setProperty("executableName", "false");
        properties.setProperty("nurseryDirectory", folder.resolve("nursery").toString());
        if (hasManyTasks) {
            properties.setProperty("keeperExecutable", "false");
        }
        Path file = folder.resolve("daemon.properties");
        try (Writer writer = Files.newBufferedWriter(file)) {
            properties.store(writer, null);
        }
        Process stopped = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1",
                "-cp", System.getProperty("testClassPath"), Stopped.class.getName(), file.toString()).redirectErrorStream(true).start();
        String said = new String(stopped.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, stopped.waitFor(), said);
        assertFalse(said.contains("thread_failed") || said.contains("start_failed"), said);
    }

    /** A process whose end has begun, and is not over before the daemon's first thread has done what it does. */
    static final class Stopped {
        private Stopped() {}

        public static void main(String[] args) throws InterruptedException {
            CountDownLatch ending = new CountDownLatch(1);
            CountDownLatch done = new CountDownLatch(1);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                ending.countDown();
                try {
                    done.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }));
            new Thread(() -> System.exit(0)).start();
            ending.await();
            Thread first = new Thread(() -> Daemon.main(args));
            first.start();
            first.join();
            done.countDown();
        }
    }
}
