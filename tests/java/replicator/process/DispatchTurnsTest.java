package replicator.process;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** KCL's turns: one soon after the other where there is something to do, else one a second. */
class DispatchTurnsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** It stands still, so what rests does so until it is woken. */
    private final AtomicLong nanos = new AtomicLong(-7);

    private final AtomicReference<DispatchTurns> turns = new AtomicReference<>();
    private final CountDownLatch first = new CountDownLatch(1);
    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch second = new CountDownLatch(1);
    private final CountDownLatch third = new CountDownLatch(1);
    private final Thread kcl = new Thread(() -> {
        try {
            turns.get().begin(); // the first, which never rests
            first.countDown();
            asked.await();
            turns.get().begin();
            second.countDown();
            turns.get().begin();
            third.countDown();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    });

    private DispatchTurns quiet() throws InterruptedException {
        turns.set(new DispatchTurns(kcl, nanos::get));
        kcl.start();
        assertTrue(first.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(3));
        asked.countDown();
        return turns.get();
    }

    private void assertRests() throws InterruptedException {
        assertFalse(second.await(200, TimeUnit.MILLISECONDS));
    }

    @AfterEach
    void end() throws InterruptedException {
        kcl.interrupt();
        kcl.join();
    }

    @Test
    void oneRestsWhereThereIsNothingToDo() throws InterruptedException {
        DispatchTurns quiet = quiet();
        assertRests();
        assertFalse(quiet.isAwake());
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(1)); // but no longer than a second
        assertTrue(second.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
    }

    @Test
    void oneThatRestsIsWoken() throws InterruptedException {
        DispatchTurns quiet = quiet();
        assertRests();
        quiet.wake();
        assertTrue(third.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)); // and the next one does not rest, either
        assertTrue(quiet.isAwake());
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(2));
        assertFalse(quiet.isAwake());
    }

    @Test
    void noneRestsWhileAShardBegins() throws InterruptedException {
        DispatchTurns quiet = quiet();
        Object shard = new Object();
        quiet.begins(shard);
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(9));
        assertTrue(quiet.isAwake());
        quiet.begun(shard);
        assertTrue(quiet.isAwake());
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(2));
        assertFalse(quiet.isAwake());
    }

    /** Its parent may be read for hours, or be held. */
    @Test
    void aShardThatCannotBeginForLongLetsThemRest() throws InterruptedException {
        DispatchTurns quiet = quiet();
        Object shard = new Object();
        quiet.begins(shard);
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(10));
        assertFalse(quiet.isAwake());
        quiet.begins(shard);
        assertTrue(quiet.isAwake());
    }

    /** Each is counted, however long it was that nobody looked. */
    @Test
    void wakesAreCounted() throws InterruptedException {
        DispatchTurns quiet = quiet();
        long before = quiet.wakes();
        quiet.wake();
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(100));
        assertTrue(quiet.wakes() > before);
    }

    @Test
    void noneRestsDuringAStop() throws InterruptedException {
        DispatchTurns quiet = quiet();
        assertRests();
        quiet.stop();
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(100));
        assertTrue(third.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
    }

    /** A shard's first batch must not wait for a second. */
    @Test
    void whoAwaitsTheNextOneWakesIt() throws InterruptedException {
        DispatchTurns quiet = quiet();
        assertRests();
        assertTimeoutPreemptively(PATIENCE, quiet::awaitNext);
    }
}
