package replicator.aws;

import software.amazon.awssdk.services.dynamodb.model.DescribeStreamRequest;
import software.amazon.awssdk.services.dynamodb.model.DescribeStreamResponse;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsRequest;
import software.amazon.awssdk.services.dynamodb.model.GetRecordsResponse;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorRequest;
import software.amazon.awssdk.services.dynamodb.model.GetShardIteratorResponse;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsServiceClientConfiguration;

/** A stream's client that has another one make each call for which a subclass has no way of its own. */
public abstract class DelegatingStreamsClient implements DynamoDbStreamsClient {
    /** The other one; it is closed with this. */
    protected final DynamoDbStreamsClient stream;

    protected DelegatingStreamsClient(DynamoDbStreamsClient stream) {
        this.stream = stream;
    }

    @Override
    public DescribeStreamResponse describeStream(DescribeStreamRequest request) {
        return stream.describeStream(request);
    }

    @Override
    public GetShardIteratorResponse getShardIterator(GetShardIteratorRequest request) {
        return stream.getShardIterator(request);
    }

    @Override
    public GetRecordsResponse getRecords(GetRecordsRequest request) {
        return stream.getRecords(request);
    }

    @Override
    public DynamoDbStreamsServiceClientConfiguration serviceClientConfiguration() {
        return stream.serviceClientConfiguration();
    }

    @Override
    public String serviceName() {
        return stream.serviceName();
    }

    @Override
    public void close() {
        stream.close();
    }
}
