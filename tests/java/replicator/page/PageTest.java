package replicator.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import replicator.aws.AnswerBounds;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/** A page's records are the bytes that came; what is no page is none. */
class PageTest {
    private static Page page(String answer) throws IOException {
        return Page.of(answer.getBytes(StandardCharsets.UTF_8));
    }

    private static String record(int number, String item) {
        return "{\"dynamodb\":{\"ApproximateCreationDateTime\":1700000000.25,\"SequenceNumber\":\"" + number
                + "\",\"NewImage\":" + item + "},\"SequenceNumber\":\"not this\"}";
    }

    private static String text(KinesisClientRecord record) {
        return StandardCharsets.UTF_8.decode(record.data().duplicate()).toString();
    }

    private static Page sized(String bytes) throws IOException {
        return page("{\"Records\":[" + record(1, "{}").replace("\"NewImage\"", "\"SizeBytes\":" + bytes + ",\"NewImage\"") + "]}");
    }

    @Test
    void recordsAreTheBytesThatCame() throws IOException {
        String first = record(1, "{ \"é\\u0000\" : {\"S\":\"\uD83D\uDE00}]\"}}");
        String second = record(2, "{}");
        Page page = page("{\"NextShardIterator\":\"next\" , \"Records\" : [ " + first + " ,\n" + second + " ] }");
        assertEquals(List.of(first, second), page.records().stream().map(PageTest::text).collect(Collectors.toList()));
        assertEquals("2", page.records().get(1).sequenceNumber());
        assertEquals(1_700_000_000_250L, page.records().get(0).approximateArrivalTimestamp().toEpochMilli());
        assertEquals("next", page.nextShardIterator());
    }

    @Test
    void aBatchIsAnArrayOfThem() throws IOException {
        Page page = page("{\"Records\":[" + record(1, "{}") + " , " + record(2, "{}") + "]}");
        KinesisClientRecord joined = Page.joined(page.records());
        assertEquals("[" + record(1, "{}") + "," + record(2, "{}") + "]", text(joined));
        assertEquals("2", joined.sequenceNumber());
        assertNull(page.nextShardIterator());
    }

    /** KCL's AggregatorUtil reads the first bytes of a record and goes back, on a thread of each task. */
    @Test
    void whatOneReaderDoesToItsRecordsNoOtherSees() throws IOException {
        Page page = page("{\"Records\":[" + record(1, "{}") + " , " + record(2, "{}") + "]}");
        page.records().get(1).data().get(new byte[4]);
        Page other = page.handedOn(1, 0);
        assertEquals("[" + record(2, "{}") + "]", text(Page.joined(other.records())));
        other.records().get(0).data().get(new byte[4]);
        assertEquals("[" + record(2, "{}") + "]", text(Page.joined(page.handedOn(1, 0).records())));
        page.records().get(1).data().rewind();
        assertEquals("[" + record(2, "{}") + "]", text(Page.joined(page.records().subList(1, 2))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{}", "null", "{\"Records\":null}", "{\"Records\":[1]}", "{\"Records\":[{}]}",
        "{\"Records\":[],\"NextShardIterator\":\"\"}", "{\"Records\":[],\"NextShardIterator\":1}", "{\"Records\":[",
        "{\"Records\":[{\"dynamodb\":{\"SequenceNumber\":1,\"ApproximateCreationDateTime\":1}}]}"})
    void whatIsNoPageIsRefused(String answer) {
        assertThrows(IOException.class, () -> page(answer));
    }

    /** KCL takes some texts for places of its own, as the end of the shard; a lag of such a time is more than 64 bits hold. */
    @ParameterizedTest
    @ValueSource(strings = {"\"\",1", "\"SHARD_END\",1", "\"LATEST\",1", "\"-5\",1", "\"\u0661\",1", "\"5\",1e300", "\"5\",-1e300",
        "\"5\",1e999", "\"5\",9223372036854775807"})
    void aRecordWithoutAPlaceOrATimeIsRefused(String numberAndTime) {
        String[] parts = numberAndTime.split(",");
        assertThrows(IOException.class, () -> page("{\"Records\":[{\"dynamodb\":{\"SequenceNumber\":" + parts[0]
                + ",\"ApproximateCreationDateTime\":" + parts[1] + "}}]}"));
    }

    @Test
    void anAnswerIsBounded() throws IOException {
        String deep = "[".repeat(AnswerBounds.NESTING + 1) + "]".repeat(AnswerBounds.NESTING + 1);
        assertThrows(IOException.class, () -> page("{\"Records\":[" + record(1, deep) + "]}"));
        String digits = "9".repeat(AnswerBounds.NUMBER_CHARACTERS);
        assertEquals(1, sized(digits).records().size());
        assertThrows(IOException.class, () -> sized(digits + "9")); // to make a number of it may cost the square of its digits
        String small = record(1, "{}");
        String many = (small + ",").repeat(10_000) + small;
        assertThrows(IOException.class, () -> page("{\"Records\":[" + many + "]}"));
    }
}
