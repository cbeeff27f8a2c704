package replicator.stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import replicator.log.Said;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbException;
import software.amazon.awssdk.services.dynamodb.model.LimitExceededException;

/** When reads that are refused because of too many readers are said, and when their end. */
class TooManyReadersTest {
    private static final LimitExceededException REFUSAL = (LimitExceededException) LimitExceededException.builder()
            .message("Too many").awsErrorDetails(AwsErrorDetails.builder().errorCode("LimitExceededException").build()).build();

    private final AtomicLong nanos = new AtomicLong(-9);
    private final TooManyReaders readers = new TooManyReaders(nanos::get);
    @RegisterExtension
    final Said heard = new Said();

    /** A refusal and an answer each second. */
    private void alternate(long seconds) {
        for (long second = 0; second < seconds; second++) {
            readers.refused("GetRecords", "shard-" + second % 2, REFUSAL);
            nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
            readers.answered();
        }
    }

    private List<String> said() {
        return heard.events().stream().map(each -> each.getMessage().replaceAll(" (error|reason|note)=.*", ""))
                .collect(Collectors.toList());
    }

    @Test
    void whatLastsIsSaidEverMoreRarely() {
        alternate(200);
        assertEquals(List.of(
                "too_many_readers operation=GetRecords refused=6 seconds=5 shards=2 shard=shard-0",
                "too_many_readers operation=GetRecords refused=66 seconds=65 shards=2 shard=shard-0",
                "too_many_readers operation=GetRecords refused=186 seconds=185 shards=2 shard=shard-0"), said());
        assertTrue(heard.events().stream().allMatch(each -> each.getLevel() == Level.WARN));
    }

    @Test
    void itsEndIsSaidAfterAMinuteOfQuiet() {
        alternate(10);
        nanos.addAndGet(TooManyReaders.QUIET_NANOS - 2_000_000_000L);
        readers.answered();
        assertEquals(1, said().size());
        nanos.addAndGet(2_000_000_000L);
        readers.answered();
        readers.answered();
        assertEquals("too_many_readers_over refused=10 seconds=9", said().get(1));
        assertEquals(2, said().size());
        alternate(5);
        assertEquals(2, said().size());
    }

    /** As those of a status. */
    @Test
    void aFewSecondsAreSaidByNobody() {
        for (int turn = 0; turn < 3; turn++) {
            alternate(4);
            nanos.addAndGet(2 * TooManyReaders.QUIET_NANOS); // without a read: nothing notes its end
        }
        assertEquals(List.of(), said());
    }

    @Test
    void onlyThatErrorIsMeant() {
        assertTrue(TooManyReaders.isMeant(new IllegalStateException(REFUSAL)));
        assertFalse(TooManyReaders.isMeant(DynamoDbException.builder().message("else").build()));
    }
}
