package replicator.stream;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import replicator.log.Event;
import replicator.log.Outage;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.dynamodb.model.ShardIteratorType;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.awssdk.services.kinesis.model.ChildShard;

/**
 * Decides whether one shard is read to its end, after GetRecords gave a page without a next iterator. Not for several threads.
 *
 * <p>Such a page alone is not believed: if it were wrong, what comes after it would never be read. A shard is at its end where
 * DescribeStream says that it is closed and has children, <em>and</em> a second page, from an iterator asked for anew, has
 * neither records nor a next iterator; a third one, too, where the last record read is not the one that ends the shard. A
 * stream that is disabled, as two looks agree, has no more children to come.
 */
public final class ShardEnd {
    private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(25);
    private static final long LAST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final long EMPTY_APART_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long LOOKS_APART_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long LONG_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final int MAX_EMPTY_PAGES = 50;
    private static final Set<String> SENTINELS = Set.of("TRIM_HORIZON", "LATEST");

    private final DynamoDbStreamsClient stream;
    private final Supplier<StreamListing> listing;
    private final StreamEnd streamEnd;
    private final String shardId;
    private final Outage refuted;
    private long nextLook = System.nanoTime();
    private long pause = FIRST_PAUSE_NANOS;
    private long withoutChildrenSince;
    private long emptySince;
    private long disabledSince;
    private boolean resting;
    private boolean saidOpen;
    private boolean saidLong;

    /**
     * @param stream guarded, so that "not found" and "trimmed" are no ends
     * @param listing looks at the stream's shards
     */
    ShardEnd(DynamoDbStreamsClient stream, Supplier<StreamListing> listing, StreamEnd streamEnd, String shardId) {
        this.stream = stream;
        this.listing = listing;
        this.streamEnd = streamEnd;
        this.shardId = shardId;
        this.refuted = new Outage("shard_unreadable", "Shard " + shardId + " can't be read",
                "It is read on from the last record; nothing is lost while its records last (24 hours).",
                "Shard " + shardId + " can be read again");
    }

    /** To be called for each page that has a next iterator. */
    public void wentOn() {
        refuted.succeeded();
    }

    /**
     * The shard's children, where it is at its end; empty where it is to be read on, for now.
     *
     * @param position the last sequence number that was read, or what the shard was begun at
     * @throws RuntimeException if it can't be known now; the page is to be read again
     */
    public Optional<List<ChildShard>> childrenAtEnd(String position) {
        resting = System.nanoTime() - nextLook < 0;
        if (resting) {
            return Optional.empty();
        }
        pause = Math.min(pause * 2, LAST_PAUSE_NANOS);
        Optional<List<ChildShard>> found = look(position);
        if (found.isPresent()) { // KCL may go back, and come here once more
            pause = FIRST_PAUSE_NANOS;
            nextLook = System.nanoTime();
        } else {
            nextLook = System.nanoTime() + pause;
        }
        return found;
    }

    /**
     * Where to read on from.
     *
     * @param asked the iterator of the page, null where there were records in it
     */
    public String readOnFrom(String asked, String position) {
        return resting && asked != null ? asked : iterator(position);
    }

    private String iterator(String position) {
        GetShardIteratorRequest.Builder request = GetShardIteratorRequest.builder().shardId(shardId);
        if (SENTINELS.contains(position)) { // LATEST would pass over what was written since
            request.shardIteratorType(ShardIteratorType.TRIM_HORIZON);
        } else {
            request.shardIteratorType(ShardIteratorType.AFTER_SEQUENCE_NUMBER).sequenceNumber(position);
        }
        return stream.getShardIterator(request.build()).shardIterator();
    }

    private Optional<List<ChildShard>> look(String position) {
        StreamListing now = listing.get();
        if (now.isOpen(shardId) && !now.isDisabled()) {
            sayOpen();
            refuted.suspected(new IllegalStateException("GetRecords says that the shard is at its end, DescribeStream that it is open"));
            return Optional.empty();
        }
        if (!isEmptyAfter(position)) {
            emptySince = 0;
            return Optional.empty();
        }
        if (!position.equals(now.endingSequenceNumber(shardId)) && !isEmptyForLong()) {
            return Optional.empty();
        }
        Set<String> children = now.childrenOf(shardId);
        if (children.isEmpty() && !isDisabledForGood(now)) {
            sayIfLong();
            return Optional.empty();
        }
        return Optional.of(children.stream().map(this::child).collect(Collectors.toList()));
    }

    /** The last record may bear another number than the shard's end, or there was none: then two looks must agree. */
    private boolean isEmptyForLong() {
        long now = System.nanoTime();
        emptySince = emptySince == 0 ? now : emptySince;
        if (now - emptySince < EMPTY_APART_NANOS) {
            pause = EMPTY_APART_NANOS;
            return false;
        }
        return true;
    }

    /** Whether nothing follows, from an iterator asked for anew on. A page may be empty though others follow. */
    private boolean isEmptyAfter(String position) {
        String next = iterator(position);
        for (int pages = 0; next != null && pages < MAX_EMPTY_PAGES; pages++) {
            String from = next;
            GetRecordsResponse page = stream.getRecords(r -> r.shardIterator(from).limit(1));
            if (!page.hasRecords()) {
                throw new IllegalStateException("GetRecords: the answer is not whole: it has no Records");
            }
            if (!page.records().isEmpty()) {
                return false;
            }
            next = page.nextShardIterator();
        }
        return next == null;
    }

    private boolean isDisabledForGood(StreamListing found) {
        long now = System.nanoTime();
        if (!found.isDisabled()) {
            disabledSince = 0;
            return false;
        }
        disabledSince = disabledSince == 0 ? now : disabledSince;
        if (now - disabledSince < LOOKS_APART_NANOS) {
            pause = EMPTY_APART_NANOS;
            return false;
        }
        streamEnd.sayDisabled();
        return true;
    }

    private ChildShard child(String childId) {
        return ChildShard.builder().shardId(childId).parentShards(shardId)
                .hashKeyRange(r -> r.startingHashKey("0").endingHashKey("1")).build(); // as the adapter has it
    }

    private void sayOpen() {
        if (!saidOpen) {
            saidOpen = true;
            Event.notice("shard_end_refuted").with("shard", shardId)
                    .note("GetRecords said that the shard is at its end, DescribeStream that it is open: it is read on.");
        }
    }

    private void sayIfLong() {
        long now = System.nanoTime();
        withoutChildrenSince = withoutChildrenSince == 0 ? now : withoutChildrenSince;
        if (!saidLong && now - withoutChildrenSince > LONG_NANOS) {
            saidLong = true;
            Event.warning("shard_end_unconfirmed").with("shard", shardId)
                    .note("The shard seems to be read to its end, but the stream, which is on, lists no shard after it. "
                            + "It is looked at again until one is listed. Nothing is lost.");
        }
    }
}
