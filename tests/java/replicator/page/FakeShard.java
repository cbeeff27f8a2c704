package replicator.page;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.services.dynamodb.model.ExpiredIteratorException;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorResponse;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** A shard in memory, and its clients: every page has another iterator, which says nothing of where it is. */
final class FakeShard {
    static final String ID = "shardId-1";

    private final List<String> written = new ArrayList<>();
    private final List<Integer> iterators = new ArrayList<>();
    final AtomicInteger reads = new AtomicInteger();
    /** Answers have no next iterator. */
    volatile boolean ends;

    /** Writes records, one by one. */
    synchronized List<String> write(int records) {
        List<String> made = new ArrayList<>();
        for (int i = 0; i < records; i++) {
            made.add("00000" + (100L * 1_000_000 + 7L * (written.size() + 1)));
            written.add(made.get(i));
        }
        return made;
    }

    synchronized List<String> written() {
        return List.copyOf(written);
    }

    private synchronized String iterator(int index) {
        iterators.add(index);
        return "arn:aws|" + iterators.size() + "|AAAA";
    }

    private synchronized int index(String iterator) {
        if (!iterator.matches("arn:aws\\|\\d+\\|AAAA")) {
            throw new AssertionError("The stream was asked with " + iterator.replace("\n", "\\n"));
        }
        return iterators.get(Integer.parseInt(iterator.split("\\|")[1]) - 1);
    }

    static ExpiredIteratorException expired() {
        return (ExpiredIteratorException) ExpiredIteratorException.builder().message("expired").build();
    }

    /** One reader's client; {@code onRead} is told of each GetRecords before it is answered, and may throw or wait. */
    DynamoDbStreamsClient client(Consumer<GetRecordsRequest> onRead) {
        return new DynamoDbStreamsClient() {
            @Override
            public GetShardIteratorResponse getShardIterator(GetShardIteratorRequest request) {
                int index = request.sequenceNumber() == null ? 0 : written().indexOf(request.sequenceNumber());
                switch (request.shardIteratorType()) {
                    case AFTER_SEQUENCE_NUMBER:
                        index++;
                        break;
                    case LATEST:
                        index = written().size();
                        break;
                    default:
                }
                return GetShardIteratorResponse.builder().shardIterator(iterator(index)).build();
            }

            @Override
            public GetRecordsResponse getRecords(GetRecordsRequest request) {
                reads.incrementAndGet();
                int from = index(request.shardIterator());
                onRead.accept(request);
                List<String> all = written();
                List<String> found = all.subList(from, Math.min(all.size(), from + request.limit()));
                String next = ends ? null : iterator(from + found.size());
                request.overrideConfiguration().map(each -> each.executionAttributes().getAttribute(PageInterceptor.PAGE))
                        .ifPresent(page -> page.set(page(found, next)));
                return GetRecordsResponse.builder().nextShardIterator(next).build();
            }

            @Override
            public String serviceName() {
                return "fake";
            }

            @Override
            public void close() {}
        };
    }

    static Page page(List<String> numbers, String next) {
        String records = numbers.stream().map(each -> "{\"dynamodb\":{\"SequenceNumber\":\"" + each
                + "\",\"ApproximateCreationDateTime\":1.5}}").collect(Collectors.joining(","));
        String end = next == null ? "}" : ",\"NextShardIterator\":\"" + next + "\"}";
        try {
            return Page.of(("{\"Records\":[" + records + "]" + end).getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static List<String> numbers(Page page) {
        return page.records().stream().map(each -> each.sequenceNumber()).collect(Collectors.toList());
    }

    static GetRecordsRequest request(String iterator, int limit, long freshNanos, AtomicReference<Page> page) {
        return GetRecordsRequest.builder().shardIterator(iterator).limit(limit)
                .overrideConfiguration(AwsRequestOverrideConfiguration.builder()
                        .putExecutionAttribute(PageInterceptor.PAGE, page)
                        .putExecutionAttribute(PageInterceptor.FRESH_NANOS, freshNanos).build()).build();
    }
}
