package replicator.page;

import java.util.List;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/** One answer of GetRecords that is another reader's, too: the records between two places of a shard, or none after one. */
final class SharedPage {
    /** What a record takes beside its bytes in the page: its objects, about. */
    private static final int RECORD_BYTES = 300;

    private final Page page;
    private final GetRecordsResponse rest;
    private final long readNanos;

    /**
     * @param page as it was read
     * @param rest of the answer, without records; the iterator in it is the stream's
     * @param readNanos when it was answered
     */
    SharedPage(Page page, GetRecordsResponse rest, long readNanos) {
        this.page = page;
        this.rest = rest;
        this.readNanos = readNanos;
    }

    GetRecordsResponse rest() {
        return rest;
    }

    long readNanos() {
        return readNanos;
    }

    boolean isEmpty() {
        return page.records().isEmpty();
    }

    /** A page without a next iterator may be wrong: who is told of a shard's end by one has to be told itself. */
    boolean isSharable() {
        return page.nextShardIterator() != null;
    }

    long bytes() {
        return page.bytes() + (long) RECORD_BYTES * page.records().size();
    }

    String first() {
        return page.records().get(0).sequenceNumber();
    }

    String last() {
        return page.records().get(page.records().size() - 1).sequenceNumber();
    }

    /** Whether its records stand in the shard's order, all of them after that place; else nothing is concluded from it. */
    boolean isInOrder(String place) {
        String before = place;
        for (KinesisClientRecord each : page.records()) {
            if (Position.compare(before, each.sequenceNumber()) >= 0) {
                return false;
            }
            before = each.sequenceNumber();
        }
        return true;
    }

    /** All of it, for another reader. */
    SharedPage handedOn(long nowNanos) {
        return new SharedPage(page.handedOn(0, nowNanos - readNanos), rest, readNanos);
    }

    /** What follows one of its records; null where that isn't one of them, or is the last. */
    SharedPage after(String sequenceNumber, long nowNanos) {
        List<KinesisClientRecord> records = page.records();
        int low = 0;
        int high = records.size() - 2;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int difference = Position.compare(records.get(middle).sequenceNumber(), sequenceNumber);
            if (difference == 0) {
                return new SharedPage(page.handedOn(middle + 1, nowNanos - readNanos), rest, readNanos);
            }
            low = difference < 0 ? middle + 1 : low;
            high = difference < 0 ? high : middle - 1;
        }
        return null;
    }

    Page page() {
        return page;
    }
}
