package replicator.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.services.dynamodb.model.ExpiredIteratorException;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.ShardIteratorType;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** Several tasks of one stream: which of their reads are one, and what each of them gets. */
@Timeout(60)
class SharedPagesTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long MANY_BYTES = 1L << 30;

    private final AtomicLong clock = new AtomicLong(77 * SECOND);
    private final List<Runnable> later = new ArrayList<>();
    private SharedReads reads = new SharedReads(clock::get, later::add, 0);
    private final FakeShard shard = new FakeShard();

    /** A task at a place of the shard. */
    private final class Task {
        final DynamoDbStreamsClient client;
        String iterator;
        final int limit;
        long fresh = SECOND;
        Page page;

        Task(Object identity, int limit, long bytes, Consumer<GetRecordsRequest> onRead) {
            this.limit = limit;
            client = new SharedPages(shard.client(onRead), reads.reader(List.of(identity, limit), bytes), limit, clock::get);
            begin(ShardIteratorType.TRIM_HORIZON, null);
        }

        Task(Consumer<GetRecordsRequest> onRead) {
            this("one", 10, MANY_BYTES, onRead);
        }

        Task() {
            this(request -> {});
        }

        Task begin(ShardIteratorType type, String number) {
            iterator = client.getShardIterator(r -> r.streamArn("arn").shardId(FakeShard.ID).shardIteratorType(type)
                    .sequenceNumber(number)).shardIterator();
            return this;
        }

        GetRecordsResponse answer() {
            AtomicReference<Page> found = new AtomicReference<>();
            GetRecordsResponse answer = client.getRecords(FakeShard.request(iterator, limit, fresh, found));
            page = found.get();
            return answer;
        }

        List<String> read() {
            iterator = answer().nextShardIterator();
            return FakeShard.numbers(page);
        }
    }

    private void calls(int expected) {
        assertEquals(expected, shard.reads.getAndSet(0));
    }

    @Test
    void tasksAtOnePlaceGetOnePage() {
        List<Task> tasks = List.of(new Task(), new Task(), new Task());
        List<String> written = shard.write(3);
        tasks.forEach(each -> assertEquals(written, each.read()));
        calls(1);
        assertEquals(0, reads.bytes()); // all have it
        tasks.forEach(each -> assertEquals(List.of(), each.read()));
        calls(1);
        List<String> more = shard.write(1);
        clock.addAndGet(SECOND);
        tasks.forEach(each -> assertEquals(more, each.read()));
        calls(1);
    }

    @Test
    void theNumberOfCallsIsThatOfOneTask() {
        List<Task> tasks = List.of(new Task(), new Task(), new Task(), new Task(), new Task());
        tasks.forEach(Task::read);
        calls(1);
        for (int i = 0; i < 100; i++) {
            clock.addAndGet(SECOND);
            tasks.forEach(Task::read);
        }
        calls(100);
    }

    @Test
    void anEmptyPageIsSharedWhileItIsFresh() {
        Task one = new Task();
        Task two = new Task();
        one.read();
        List<String> written = shard.write(1);
        clock.addAndGet(SECOND - 1);
        assertEquals(List.of(), two.read());
        assertEquals(SECOND - 1, two.page.ageNanos());
        calls(1);
        clock.addAndGet(1);
        assertEquals(written, two.read());
        assertEquals(0, two.page.ageNanos());
        calls(1);
        assertEquals(written, one.read());
        calls(0);
    }

    @Test
    void whoIsBehindIsNotToldThatThereIsNothing() {
        new Task().read();
        shard.write(1);
        Task two = new Task();
        two.fresh = 0;
        assertEquals(1, two.read().size());
        calls(2);
    }

    @Test
    void aTaskAloneReadsByItself() {
        Task one = new Task();
        shard.write(1);
        one.read();
        one.read();
        one.read();
        calls(3);
        Task two = new Task();
        two.read();
        calls(1);
        two.client.close();
        assertEquals(0, reads.bytes());
        one.read();
        one.read();
        calls(2);
    }

    @Test
    void otherIdentitiesShareNothing() {
        Task one = new Task("one", 10, MANY_BYTES, request -> {});
        Task alike = new Task("one", 10, MANY_BYTES, request -> {});
        Task other = new Task("another role", 10, MANY_BYTES, request -> {});
        Task third = new Task("another role", 10, MANY_BYTES, request -> {});
        shard.write(1);
        List.of(one, other, alike, third).forEach(Task::read);
        calls(2);
    }

    @Test
    void otherPageSizesShareNothing() {
        Task one = new Task();
        Task two = new Task("one", 5, MANY_BYTES, request -> {});
        new Task("one", 5, MANY_BYTES, request -> {});
        shard.write(7);
        assertEquals(7, one.read().size());
        assertEquals(5, two.read().size());
        calls(2);
    }

    @Test
    void whoIsWithinAPageGetsTheRestOfIt() {
        Task one = new Task();
        Task two = new Task();
        List<String> written = shard.write(10);
        two.begin(ShardIteratorType.AFTER_SEQUENCE_NUMBER, written.get(3));
        new Task();
        one.read();
        assertEquals(written.subList(4, 10), two.read());
        assertTrue(two.page.isFull(10, 1 << 30));
        calls(1);
        two.read();
        one.read();
        calls(1); // they are at one place now
    }

    @Test
    void aPlaceThatIsNoRecordOfAPageIsReadByItself() {
        Task one = new Task();
        Task two = new Task();
        List<String> gone = shard.write(1);
        two.begin(ShardIteratorType.AFTER_SEQUENCE_NUMBER, gone.get(0));
        shard.write(3);
        one.begin(ShardIteratorType.AT_SEQUENCE_NUMBER, shard.written().get(2)); // as after a trim
        assertEquals(shard.written().subList(2, 4), one.read());
        assertEquals(shard.written().subList(1, 4), two.read());
        calls(2);
        two.read();
        one.read();
        calls(1);
    }

    @Test
    void whoComesBackReadsByItselfUntilItIsThere() {
        Task one = new Task();
        Task two = new Task();
        Task away = new Task();
        List.of(one, two, away).forEach(Task::read);
        for (int i = 0; i < 2; i++) {
            clock.addAndGet(SharedShard.AWAY_NANOS * 2 / 3);
            one.read();
            two.read();
        }
        calls(3);
        List<String> written = shard.write(35);
        clock.addAndGet(SECOND);
        for (int page = 0; page < 4; page++) {
            one.read();
            two.read();
        }
        assertEquals(0, reads.bytes()); // nothing is kept for who is away
        calls(4);
        List<String> found = new ArrayList<>();
        for (int page = 0; page < 4; page++) {
            found.addAll(away.read());
        }
        assertEquals(written, found);
        calls(4);
        clock.addAndGet(SECOND);
        List.of(one, two, away).forEach(Task::read);
        calls(1);
    }

    @Test
    void bytesAreBounded() {
        long bytes = 20_000;
        Task one = new Task("one", 10, bytes, request -> {});
        Task slow = new Task("one", 10, bytes / 2, request -> {});
        shard.write(200);
        for (int page = 0; page < 20; page++) {
            one.read();
            assertTrue(reads.bytes() <= bytes, () -> reads.bytes() + " bytes are kept");
        }
        assertTrue(reads.bytes() > bytes / 2);
        calls(20);
        List<String> found = new ArrayList<>();
        for (int page = 0; page < 20; page++) {
            found.addAll(slow.read());
        }
        assertEquals(shard.written(), found);
        int own = shard.reads.get();
        assertTrue(own > 10 && own < 20, () -> own + " reads");
        assertEquals(0, reads.bytes());
    }

    @Test
    void whoIsFarBehindTakesNoRoomFromTheOthers() {
        List<Task> together = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            together.add(new Task("one", 10, 20_000, request -> {}));
        }
        Task behind = new Task("one", 10, 20_000, request -> {});
        shard.write(300);
        for (int page = 0; page < 30; page++) {
            together.forEach(Task::read);
            calls(1);
        }
        assertTrue(reads.bytes() > 15_000);
        List<String> found = new ArrayList<>();
        while (found.size() < 300) {
            found.addAll(behind.read());
        }
        assertEquals(shard.written(), found);
        int own = shard.reads.get();
        assertTrue(own < 30, () -> own + " reads"); // those that were kept were the first that it came to
        assertEquals(0, reads.bytes());
    }

    @Test
    void severalWhoAreBehindShareWhatTheyRead() {
        Task ahead = new Task("one", 10, 20_000, request -> {});
        List<Task> behind = List.of(new Task("one", 10, 20_000, request -> {}), new Task("one", 10, 20_000, request -> {}));
        shard.write(300);
        for (int page = 0; page < 30; page++) {
            ahead.read();
        }
        calls(30);
        for (int page = 0; page < 30; page++) {
            assertEquals(behind.get(0).read(), behind.get(1).read());
        }
        int own = shard.reads.get();
        assertTrue(own < 30, () -> own + " reads");
        assertEquals(0, reads.bytes());
    }

    /** As in a daemon that has just begun, whose tasks come one after the other. */
    @Test
    void whoBeginsLaterGetsWhatWasReadBefore() {
        reads = new SharedReads(clock::get, later::add, 60 * SECOND);
        Task one = new Task();
        shard.write(95);
        for (int page = 0; page < 7; page++) {
            one.read();
        }
        Task two = new Task();
        for (int page = 0; page < 10; page++) {
            two.read();
        }
        Task three = new Task();
        List<String> found = new ArrayList<>();
        for (int page = 0; page < 10; page++) {
            found.addAll(three.read());
        }
        assertEquals(shard.written(), found);
        for (int page = 7; page < 10; page++) {
            one.read();
        }
        calls(10);
        assertTrue(reads.bytes() > 0);
        clock.addAndGet(60 * SECOND);
        one.read();
        assertEquals(0, reads.bytes()); // all that is there has passed them, and nobody is to come
    }

    @Test
    void nobodyIsExpectedForEver() {
        reads = new SharedReads(clock::get, later::add, 60 * SECOND);
        Task one = new Task();
        shard.write(30);
        one.read();
        clock.addAndGet(61 * SECOND);
        later.remove(0).run();
        assertEquals(0, reads.bytes());
        one.read();
        assertEquals(0, reads.bytes());
        calls(2);
        one.client.close();
        Task next = new Task();
        next.read();
        assertTrue(reads.bytes() > 0);
        next.client.close();
        assertEquals(0, reads.bytes());
    }

    /** What those to come would have takes no room from those that are there. */
    @Test
    void whoIsToComeGetsWhatThereIsRoomFor() {
        reads = new SharedReads(clock::get, later::add, 60 * SECOND);
        long bytes = 20_000;
        Task one = new Task("one", 10, bytes, request -> {});
        shard.write(300);
        for (int page = 0; page < 10; page++) {
            one.read();
            assertTrue(reads.bytes() <= bytes, () -> reads.bytes() + " bytes are kept");
        }
        calls(10);
        Task two = new Task("one", 10, bytes, request -> {});
        for (int page = 0; page < 10; page++) {
            two.read();
        }
        int own = shard.reads.getAndSet(0);
        assertTrue(own < 8, () -> own + " reads"); // the first that were read were kept
        for (int page = 10; page < 30; page++) {
            one.read();
            two.read();
            assertTrue(reads.bytes() <= bytes, () -> reads.bytes() + " bytes are kept");
        }
        calls(20);
    }

    @Test
    void pagesGoThoughNobodyReads() {
        Task one = new Task();
        Task two = new Task();
        shard.write(1);
        one.read();
        assertTrue(reads.bytes() > 0);
        assertEquals(1, later.size());
        clock.addAndGet(SharedShard.AWAY_NANOS + 1);
        later.remove(0).run();
        assertEquals(0, reads.bytes());
        assertEquals(0, later.size());
        assertEquals(1, two.read().size());
        calls(2);
    }

    /** Whatever is wrong with an answer without a next iterator, each task hears it of the stream. */
    @Test
    void anEndIsNotShared() {
        Task one = new Task();
        Task two = new Task();
        List<String> written = shard.write(2);
        shard.ends = true;
        for (Task each : List.of(one, two)) {
            assertNull(each.answer().nextShardIterator());
            assertEquals(written, FakeShard.numbers(each.page));
        }
        calls(2);
        assertEquals(0, reads.bytes());
    }

    @Test
    void aFailureIsOnesOwn() {
        AtomicBoolean isExpired = new AtomicBoolean(true);
        Task one = new Task(request -> {
            if (isExpired.get()) {
                throw FakeShard.expired();
            }
        });
        Task two = new Task();
        List<String> written = shard.write(2);
        assertThrows(ExpiredIteratorException.class, one::read);
        assertEquals(written, two.read());
        calls(2);
        assertEquals(written, one.read()); // the page is there by now
        calls(0);
    }

    @Test
    void aReadUnderWayIsWaitedFor() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        Semaphore answered = new Semaphore(0);
        Task one = new Task(request -> {
            begun.countDown();
            answered.acquireUninterruptibly();
        });
        Task two = new Task();
        two.fresh = 0;
        CompletableFuture<List<String>> first = CompletableFuture.supplyAsync(one::read, each -> new Thread(each).start());
        begun.await();
        CompletableFuture<List<String>> second = CompletableFuture.supplyAsync(two::read, each -> new Thread(each).start());
        Thread.sleep(50); // whether it waits by now or not, it reads nothing itself
        assertEquals(1, shard.reads.get());
        answered.release();
        assertEquals(List.of(), first.get());
        second.get();
        one.fresh = 0;
        assertEquals(Position.of(one.iterator).orElseThrow().after(), Position.of(two.iterator).orElseThrow().after());
    }

    @Test
    void aReadThatHangsIsWaitedForOnlyForAWhile() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch hangs = new CountDownLatch(1);
        Task one = new Task(request -> {
            begun.countDown();
            try {
                hangs.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            throw FakeShard.expired();
        });
        Task two = new Task();
        List<String> written = shard.write(1);
        CompletableFuture<List<String>> first = CompletableFuture.supplyAsync(one::read, each -> new Thread(each).start());
        begun.await();
        CompletableFuture<List<String>> second = CompletableFuture.supplyAsync(two::read, each -> new Thread(each).start());
        while (!second.isDone()) {
            clock.addAndGet(SECOND);
            Thread.sleep(20);
        }
        assertEquals(written, second.get(30, TimeUnit.SECONDS));
        hangs.countDown();
        assertThrows(Exception.class, first::get);
    }

    @Test
    void aLookIsTheTasksOwn() {
        Task one = new Task();
        Task two = new Task();
        shard.write(1);
        one.read();
        calls(1);
        two.client.getRecords(r -> r.shardIterator(two.iterator).limit(10));
        calls(1);
    }

    @Test
    void anIteratorIsTheStreamsWithAPlace() {
        Task one = new Task();
        String number = shard.write(1).get(0);
        GetRecordsResponse answer = one.answer();
        assertEquals(number, Position.of(answer.nextShardIterator()).orElseThrow().after());
        assertEquals(one.page.nextShardIterator(), Position.withoutPosition(answer.nextShardIterator()));
        one.begin(ShardIteratorType.LATEST, null);
        assertTrue(Position.of(one.iterator).filter(each -> !each.isKnown()).isPresent());
        one.read();
        assertTrue(Position.of(one.iterator).filter(each -> !each.isKnown()).isPresent());
        shard.write(1);
        one.read();
        assertEquals(shard.written().get(1), Position.of(one.iterator).orElseThrow().after());
    }
}
