package replicator.page;

import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import replicator.aws.DelegatingStreamsClient;
import replicator.aws.DirectCalls;
import software.amazon.awssdk.awscore.AwsResponseMetadata;
import software.amazon.awssdk.awscore.DefaultAwsResponseMetadata;
import software.amazon.awssdk.awscore.util.AwsHeader;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbResponseMetadata;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** The stream's client, whose pages are read directly where that is possible, and by the SDK else. */
public final class DirectPages extends DelegatingStreamsClient {
    private final DirectCalls calls;
    private final PageInterceptor pages;

    /**
     * @param stream the SDK's client
     * @param calls learn from that client
     * @param pages reads that client's pages, too
     */
    public DirectPages(DynamoDbStreamsClient stream, DirectCalls calls, PageInterceptor pages) {
        super(stream);
        this.calls = calls;
        this.pages = pages;
    }

    @Override
    public GetRecordsResponse getRecords(GetRecordsRequest request) {
        AtomicReference<Page> page = request.overrideConfiguration()
                .map(each -> each.executionAttributes().getAttribute(PageInterceptor.PAGE)).orElse(null);
        DirectCalls.Call call = page == null ? null : calls.prepared(request);
        GetRecordsResponse answer = call == null ? null : call.answer((body, head) -> {
            page.set(pages.page(body, head.firstMatchingHeader(PageInterceptor.CHECKSUM_HEADER).orElse(null)));
            return response(page.get(), head);
        });
        return answer == null ? stream.getRecords(request) : answer;
    }

    /** As the SDK's, which is left no records. */
    private static GetRecordsResponse response(Page page, SdkHttpResponse head) {
        AwsResponseMetadata metadata = DefaultAwsResponseMetadata.create(Map.of(
                AwsHeader.AWS_REQUEST_ID, head.firstMatchingHeader("x-amzn-RequestId").orElse("UNKNOWN")));
        GetRecordsResponse.Builder made = GetRecordsResponse.builder().nextShardIterator(page.nextShardIterator());
        made.responseMetadata(DynamoDbResponseMetadata.create(metadata));
        made.sdkHttpResponse(head);
        return made.build();
    }
}
