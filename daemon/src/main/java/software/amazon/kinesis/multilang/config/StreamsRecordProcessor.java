package software.amazon.kinesis.multilang.config;

import com.amazonaws.services.dynamodbv2.streamsadapter.model.DynamoDBStreamsProcessRecordsInput;
import com.amazonaws.services.dynamodbv2.streamsadapter.processor.DynamoDBStreamsShardRecordProcessor;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.processor.ShardRecordProcessor;

/** KCL's processor of one shard's child process, under the type that the adapter's scheduler insists on. */
final class StreamsRecordProcessor implements DynamoDBStreamsShardRecordProcessor {
    private final ShardRecordProcessor child;
    private final Progress progress;

    StreamsRecordProcessor(ShardRecordProcessor child, Progress progress) {
        this.child = child;
        this.progress = progress;
    }

    @Override
    public void initialize(InitializationInput input) {
        child.initialize(input);
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
        child.processRecords(input);
        progress.add(input.records());
    }

    @Override
    public void processRecords(DynamoDBStreamsProcessRecordsInput input) {
        throw new UnsupportedOperationException("BUG: KCL calls the method above, which hands records on as they came");
    }

    @Override
    public void leaseLost(LeaseLostInput input) {
        child.leaseLost(input);
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
        child.shardEnded(input);
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
        child.shutdownRequested(input);
    }
}
