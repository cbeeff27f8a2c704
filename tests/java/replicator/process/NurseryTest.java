package replicator.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a shard's child is started where none can be forked. */
class NurseryTest {
    private static final String CAT = "cat";
    private static final Path SETTINGS = Path.of("/no/such/settings");

    @TempDir
    Path folder;

    private static void assertAnswers(Process child) throws Exception {
        child.getOutputStream().write('x');
        child.getOutputStream().close();
        assertEquals('x', child.getInputStream().read());
        assertEquals(0, child.waitFor());
    }

    @Test
    void asAProgramWhereThereIsToBeNoNursery() throws Exception {
        Nursery nursery = new Nursery(CAT, null, folder);
        nursery.prepare(SETTINGS);
        assertAnswers(nursery.child(SETTINGS));
    }

    @Test
    void asAProgramWhereTheNurseryCanNotBeStarted() throws Exception {
        Nursery nursery = new Nursery(CAT, "/no/such/program", folder);
        nursery.prepare(SETTINGS);
        assertAnswers(nursery.child(SETTINGS));
    }

    @Test
    void asAProgramWhereTheNurseryEndsAtOnce() throws Exception {
        Nursery nursery = new Nursery(CAT, "false", folder);
        assertAnswers(nursery.child(SETTINGS));
    }

    @Test
    void asAProgramWhereTheNurserySaysRubbish() throws Exception {
        Nursery nursery = new Nursery(CAT, "yes rubbish", folder);
        assertAnswers(nursery.child(SETTINGS));
    }

    @Test
    void asAProgramOnceTheNurseryIsClosed() throws Exception {
        Path started = folder.resolve("started");
        Nursery nursery = new Nursery(CAT, "touch " + started, folder);
        nursery.close(10_000);
        assertAnswers(nursery.child(SETTINGS));
        assertEquals(false, started.toFile().exists());
    }

    @Test
    void aTaskThatHasEndedNeedsNone() {
        Path started = folder.resolve("started");
        Nursery nursery = new Nursery(CAT, "touch " + started, folder);
        nursery.forget(SETTINGS);
        nursery.close(10_000);
        assertEquals(false, started.toFile().exists());
    }

    @Test
    void oneThatHeedsNoEndOfItsInputIsEndedByForce() throws Exception {
        NurseryProcess hangs = new NurseryProcess(folder, TimeUnit.SECONDS.toNanos(300)).start("sleep", "601");
        ProcessHandle sleeper = ProcessHandle.current().children()
                .filter(each -> List.of(each.info().arguments().orElse(new String[0])).contains("601")).findFirst().orElseThrow();
        hangs.close(1);
        sleeper.onExit().get(60, TimeUnit.SECONDS);
    }

    @Test
    void notByOneThatHangs() {
        NurseryProcess hangs = new NurseryProcess(folder, TimeUnit.MILLISECONDS.toNanos(1)).start("sleep", "600");
        IOException error = assertThrows(IOException.class, () -> hangs.fork(SETTINGS));
        assertTrue(error.getMessage().contains("did not answer"), error.getMessage());
        assertEquals(false, hangs.isUsable());
    }

    @Test
    void notByOneThatRefuses() {
        NurseryProcess refuses = new NurseryProcess(folder, TimeUnit.SECONDS.toNanos(300)).start(
                "sh", "-c", "read line; echo refused 1 Resource temporarily unavailable; cat");
        IOException error = assertThrows(IOException.class, () -> refuses.fork(SETTINGS));
        assertEquals("no process can be forked: Resource temporarily unavailable", error.getMessage());
        refuses.close(10_000);
    }
}
