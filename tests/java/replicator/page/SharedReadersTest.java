package replicator.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.services.dynamodb.model.ExpiredIteratorException;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.ShardIteratorType;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** Whatever the schedule and the faults: each of several readers gets the shard's records in order, each of them once. */
@Timeout(60)
class SharedReadersTest {
    private static final int READERS = 5;
    private static final int RECORDS = 400;
    private static final int LIMIT = 7;
    private static final int RUNS = 12;

    /** Reads as KCL and this daemon's guards do: after a failure with the same iterator, after an expired one from the last record. */
    private final class Reader extends Thread {
        private final Random random;
        private final FakeShard shard;
        private final DynamoDbStreamsClient client;
        private final List<String> found = new ArrayList<>();
        private String iterator;
        private Throwable failure;

        Reader(long seed, FakeShard shard, SharedReads reads) {
            random = new Random(seed);
            this.shard = shard;
            client = new SharedPages(shard.client(faults(new Random(seed + 1))), reads, "one", LIMIT, 5_000);
        }

        @Override
        public void run() {
            try {
                restart();
                while (found.size() < RECORDS) {
                    step();
                }
                client.close();
            } catch (Throwable t) {
                failure = t;
            }
        }

        private void step() throws InterruptedException {
            switch (random.nextInt(60)) {
                case 0: // its destination is away
                    Thread.sleep(random.nextInt(20));
                    break;
                case 1: // its lease went and came back
                    restart();
                    break;
                default:
                    Thread.sleep(random.nextInt(2));
            }
            AtomicReference<Page> page = new AtomicReference<>();
            try {
                long fresh = random.nextInt(4) == 0 ? 0 : random.nextInt(3_000_000);
                GetRecordsResponse answer = client.getRecords(FakeShard.request(iterator, LIMIT, fresh, page));
                found.addAll(FakeShard.numbers(page.get()));
                iterator = answer.nextShardIterator();
                if (iterator == null) { // refuted: it is read on
                    restart();
                }
            } catch (ExpiredIteratorException e) {
                restart();
            } catch (IllegalStateException e) {
                // the same again
            }
        }

        private void restart() {
            iterator = client.getShardIterator(r -> {
                r.shardId(FakeShard.ID).shardIteratorType(ShardIteratorType.TRIM_HORIZON);
                if (!found.isEmpty()) {
                    r.shardIteratorType(ShardIteratorType.AFTER_SEQUENCE_NUMBER).sequenceNumber(found.get(found.size() - 1));
                }
            }).shardIterator();
        }

        private Consumer<GetRecordsRequest> faults(Random faults) {
            return request -> {
                int drawn;
                synchronized (faults) {
                    drawn = faults.nextInt(30);
                }
                shard.ends = drawn == 3;
                if (drawn == 0) {
                    throw FakeShard.expired();
                } else if (drawn == 1) {
                    throw new IllegalStateException("a failure");
                } else if (drawn == 2) {
                    try {
                        Thread.sleep(5);
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                }
            };
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void eachGetsAllInOrderAndOnce(long seed) throws InterruptedException {
        for (int run = 0; run < RUNS; run++) {
            FakeShard shard = new FakeShard();
            SharedReads reads = new SharedReads();
            Random random = new Random(seed * 1_000 + run);
            List<Reader> readers = new ArrayList<>();
            for (int i = 0; i < READERS; i++) {
                readers.add(new Reader(random.nextLong(), shard, reads));
            }
            readers.forEach(Thread::start);
            for (int left = RECORDS; left > 0;) {
                int now = Math.min(left, 1 + random.nextInt(30));
                shard.write(now);
                left -= now;
                Thread.sleep(random.nextInt(4));
            }
            for (Reader each : readers) {
                each.join();
                if (each.failure != null) {
                    throw new AssertionError("seed " + seed + ", run " + run, each.failure);
                }
                assertEquals(shard.written(), each.found, "seed " + seed + ", run " + run);
            }
            assertEquals(0, reads.bytes());
            assertTrue(shard.reads.get() > RECORDS / LIMIT);
        }
    }
}
