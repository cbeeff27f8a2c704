package replicator.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import replicator.aws.DirectClients;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.services.dynamodb.model.ExpiredIteratorException;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;

/** A page is the same whoever has read it, and one that can't be believed is asked for again, by the SDK. */
@Timeout(60)
class DirectPagesTest {
    private static final String RECORD = "{\"dynamodb\":{\"SequenceNumber\":\"100\",\"ApproximateCreationDateTime\":1.5}}";
    private static final String PAGE = "{\"Records\":[" + RECORD + "],\"NextShardIterator\":\"next\"}";

    private final DirectClients clients = new DirectClients();
    private final PageInterceptor pages = new PageInterceptor();
    private final DirectPages stream = new DirectPages(clients.streams(pages), clients.calls, pages);
    private final AtomicReference<Page> found = new AtomicReference<>();

    private GetRecordsResponse read() {
        found.set(null);
        return stream.getRecords(GetRecordsRequest.builder().shardIterator("iterator").limit(1000)
                .overrideConfiguration(AwsRequestOverrideConfiguration.builder()
                        .putExecutionAttribute(PageInterceptor.PAGE, found).build()).build());
    }

    @BeforeEach
    void theSdkReadsTheFirst() {
        clients.next(200, PAGE, "x-amzn-RequestId", "first");
        check(read(), "first");
        assertEquals(1, clients.bySdk.get());
    }

    private void check(GetRecordsResponse rest, String id) {
        assertEquals(1, found.get().records().size());
        assertEquals("100", found.get().records().get(0).sequenceNumber());
        assertEquals("next", rest.nextShardIterator());
        assertEquals(id, rest.responseMetadata().requestId());
        assertEquals(200, rest.sdkHttpResponse().statusCode());
    }

    @Test
    void theNextIsReadDirectly() {
        clients.next(200, PAGE, "x-amzn-RequestId", "second", "x-amz-crc32", DirectClients.checksum(PAGE));
        check(read(), "second");
        assertEquals(1, clients.bySdk.get());
    }

    @Test
    void atAShardsEndThereIsNoIterator() {
        clients.next(200, "{\"Records\":[]}");
        assertNull(read().nextShardIterator());
        assertEquals(0, found.get().records().size());
        assertEquals(1, clients.bySdk.get());
    }

    @Test
    void whatIsNoPageIsAskedForAgainByTheSdk() {
        String[][] wrong = {{"{}"}, {""}, {"<html>"}, {PAGE.substring(0, 40)}, {PAGE, "x-amz-crc32", DirectClients.checksum(PAGE) + "1"},
            {"{\"Records\":[],\"NextShardIterator\":\"\"}"}};
        for (String[] each : wrong) {
            int before = clients.bySdk.get();
            clients.next(200, each[0], each.length == 1 ? new String[0] : new String[] {each[1], each[2]});
            clients.next(200, PAGE, "x-amzn-RequestId", "again");
            check(read(), "again");
            assertEquals(before + 1, clients.bySdk.get(), each[0]);
            clients.rested();
        }
    }

    @Test
    void anErrorIsTheSdks() {
        String error = "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ExpiredIteratorException\",\"message\":\"old\"}";
        clients.next(400, error);
        clients.next(400, error);
        assertThrows(ExpiredIteratorException.class, this::read);
        assertEquals(2, clients.bySdk.get());
        assertNull(found.get());
    }

    /** As the stream's own looks at a place are. */
    @Test
    void whoWantsRecordsGetsThemFromTheSdk() {
        clients.next(200, PAGE);
        assertEquals("100", stream.getRecords(r -> r.shardIterator("iterator").limit(1000)).records().get(0)
                .dynamodb().sequenceNumber());
        assertEquals(2, clients.bySdk.get());
    }
}
