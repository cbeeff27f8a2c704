package replicator.page;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import replicator.aws.AnswerBounds;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * The records of one GetRecords answer, each the bytes that the stream gave.
 *
 * <p>KCL needs a record's place in the stream, its time and its size; all else of it is for the child. So a record's items
 * are passed over here, neither read into objects nor written anew.
 */
public final class Page {
    /** An iterator has up to 2,048 characters (Streams API reference), a sequence number 40. */
    private static final int MAX_TEXT = 64 * 1024;

    /** Of a sequence number; DynamoDB's have 40 at most. */
    private static final int MAX_DIGITS = 100;

    /** Far beyond any clock, so that no difference of two times in milliseconds is more than 64 bits hold. */
    private static final long MAX_SECONDS = 100_000_000_000_000L;

    // Names are those of users' attributes: as many, as contrived, and as long (DynamoDB's most is 65,535 bytes) as they like.
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(AnswerBounds.NESTING)
                    .maxNumberLength(AnswerBounds.NUMBER_CHARACTERS)
                    .maxStringLength(MAX_TEXT) // of what is read; items are passed over
                    .build())
            .build();

    private final byte[] answer;
    private final List<KinesisClientRecord> records;
    private final int skipped;
    private final long ageNanos;
    private String nextShardIterator;

    private Page(byte[] answer, List<KinesisClientRecord> records, int skipped, long ageNanos) {
        this.answer = answer;
        this.records = records;
        this.skipped = skipped;
        this.ageNanos = ageNanos;
    }

    /**
     * @param answer the body of the answer, which the records share
     * @throws IOException if it is none of GetRecords
     */
    static Page of(byte[] answer) throws IOException {
        Page page = new Page(answer, new ArrayList<>(), 0, 0);
        try (JsonParser json = JSON.createParser(answer)) {
            page.read(json);
        }
        return page;
    }

    /**
     * What another reader of the shard gets of it. The bytes are shared, their buffers are not: KCL moves a buffer's position
     * to see whether the record is one of its own aggregates, and meanwhile another reader would find too few bytes.
     *
     * @param from the first record for that reader, as a number from 0 on
     * @param ageNanos how long ago the page was read
     */
    Page handedOn(int from, long ageNanos) {
        List<KinesisClientRecord> others = new ArrayList<>(records.size() - from);
        for (KinesisClientRecord record : records.subList(from, records.size())) {
            others.add(record.toBuilder().data(record.data().duplicate().rewind()).build());
        }
        Page page = new Page(answer, Collections.unmodifiableList(others), skipped + from, ageNanos);
        page.nextShardIterator = nextShardIterator;
        return page;
    }

    List<KinesisClientRecord> records() {
        return records;
    }

    /** Whether it is as full as a page may be, also where some of its records are left out here. */
    boolean isFull(int mostRecords, int mostBytes) {
        return skipped + records.size() >= mostRecords || bytes() >= mostBytes;
    }

    /** How long ago it was read, for another; 0 where it is read now. */
    long ageNanos() {
        return ageNanos;
    }

    /** Null at the end of the shard. */
    String nextShardIterator() {
        return nextShardIterator;
    }

    int bytes() {
        return answer.length;
    }

    private void read(JsonParser json) throws IOException {
        expect(json.nextToken(), JsonToken.START_OBJECT, "an answer");
        boolean hasRecords = false;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            JsonToken value = json.nextToken();
            if (name.equals("Records")) {
                expect(value, JsonToken.START_ARRAY, name);
                hasRecords = true;
                while (json.nextToken() != JsonToken.END_ARRAY) {
                    records.add(record(json));
                    if (records.size() > AnswerBounds.RECORDS) {
                        throw new IOException("it has more than " + AnswerBounds.RECORDS + " records");
                    }
                }
            } else if (name.equals("NextShardIterator") && value != JsonToken.VALUE_NULL) {
                expect(value, JsonToken.VALUE_STRING, name);
                nextShardIterator = json.getText();
            } else {
                json.skipChildren();
            }
        }
        if (!hasRecords || "".equals(nextShardIterator)) { // whatever the records are, they would be passed over
            throw new IOException("the answer is not whole: it has no Records, or an empty NextShardIterator");
        }
    }

    private KinesisClientRecord record(JsonParser json) throws IOException {
        expect(json.currentToken(), JsonToken.START_OBJECT, "a record");
        int begin = (int) json.currentTokenLocation().getByteOffset();
        String sequenceNumber = null;
        Instant created = null;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            boolean isData = json.currentName().equals("dynamodb");
            if (json.nextToken() != JsonToken.START_OBJECT || !isData) {
                json.skipChildren();
                continue;
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                JsonToken value = json.nextToken();
                if (name.equals("SequenceNumber") && value == JsonToken.VALUE_STRING) {
                    sequenceNumber = json.getText();
                } else if (name.equals("ApproximateCreationDateTime") && value.isNumeric()) {
                    created = time(json.getDoubleValue());
                } else {
                    json.skipChildren();
                }
            }
        }
        if (sequenceNumber == null || created == null) {
            throw new IOException("a record of the stream lacks its SequenceNumber or ApproximateCreationDateTime");
        }
        if (!isNumber(sequenceNumber)) {
            throw new IOException("a record's SequenceNumber is no number");
        }
        int length = (int) json.currentLocation().getByteOffset() - begin;
        return KinesisClientRecord.builder()
                .sequenceNumber(sequenceNumber)
                .partitionKey(sequenceNumber)
                .approximateArrivalTimestamp(created)
                .data(ByteBuffer.wrap(answer, begin, length).slice().asReadOnlyBuffer())
                .build();
    }

    /** KCL takes other texts for places of its own: SHARD_END would end the shard. */
    private static boolean isNumber(String text) {
        return !text.isEmpty() && text.length() <= MAX_DIGITS && text.chars().allMatch(each -> each >= '0' && each <= '9');
    }

    private static Instant time(double seconds) throws IOException {
        if (Math.abs(seconds) > MAX_SECONDS) {
            throw new IOException("a record's ApproximateCreationDateTime is no time");
        }
        return Instant.ofEpochMilli(Math.round(seconds * 1000));
    }

    private static void expect(JsonToken found, JsonToken wanted, String what) throws IOException {
        if (found != wanted) {
            throw new IOException("the answer is none of GetRecords': " + what + " is " + found);
        }
    }

    /** The records as one, a JSON array in the stream's order: the child is given a batch as a whole. */
    public static KinesisClientRecord joined(List<KinesisClientRecord> records) {
        KinesisClientRecord last = records.get(records.size() - 1);
        ByteBuffer array = ByteBuffer.allocate(
                records.size() + 1 + records.stream().mapToInt(record -> record.data().remaining()).sum());
        byte before = '[';
        for (KinesisClientRecord record : records) {
            array.put(before).put(record.data().duplicate());
            before = ',';
        }
        array.put((byte) ']').flip();
        return last.toBuilder().data(array).build();
    }
}
