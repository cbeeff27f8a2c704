package replicator.page;

import org.reactivestreams.Subscriber;
import replicator.process.DispatchTurns;
import replicator.process.TaskThreads;
import software.amazon.kinesis.metrics.MetricsFactory;
import software.amazon.kinesis.retrieval.GetRecordsRetrievalStrategy;
import software.amazon.kinesis.retrieval.RecordsPublisher;
import software.amazon.kinesis.retrieval.RecordsRetrieved;
import software.amazon.kinesis.retrieval.ThrottlingReporter;
import software.amazon.kinesis.retrieval.polling.PrefetchRecordsPublisher;
import software.amazon.kinesis.retrieval.polling.SimpleRecordsFetcherFactory;
import software.amazon.kinesis.retrieval.polling.SleepTimeController;

/**
 * Makes KCL's own prefetching, which is stopped as soon as the shard is given up, and hands its first batch over only in the
 * turn after the shard's begin ({@link DispatchTurns}).
 *
 * <p>When a shard's lease goes, its prefetching thread is as a rule waiting to put a batch into a full queue, which nobody
 * empties any more. KCL waits 60 s for that thread before it interrupts it. For that time the shard could not be taken
 * back, and a clean stop under load ended only when the failover time was over.
 */
public final class PromptRecordsFetcherFactory extends SimpleRecordsFetcherFactory {
    private static final long AWAIT_TERMINATION_MILLIS = 100;

    private final DispatchTurns turns;

    public PromptRecordsFetcherFactory(DispatchTurns turns) {
        this.turns = turns;
    }

    @Override
    public RecordsPublisher createRecordsFetcher(
            GetRecordsRetrievalStrategy strategy,
            String shardId,
            MetricsFactory metricsFactory,
            int maxRecords,
            SleepTimeController sleepTimeController) {
        return new PrefetchRecordsPublisher(
                maxPendingProcessRecordsInput(),
                maxByteSize(),
                maxRecordsCount(),
                maxRecords,
                strategy,
                TaskThreads.single("prefetch-" + shardId),
                idleMillisBetweenCalls(),
                millisBehindLatestThresholdForReducedTps(),
                metricsFactory,
                "ProcessTask",
                shardId,
                new SilentThrottling(shardId),
                AWAIT_TERMINATION_MILLIS,
                ((PageFetcher) strategy.dataFetcher()).pace()) {
            /** KCL has a thread of its pool call this. */
            @Override
            public void subscribe(Subscriber<? super RecordsRetrieved> subscriber) {
                try {
                    turns.awaitNext();
                    super.subscribe(subscriber);
                } catch (InterruptedException e) { // the pool is shut down
                    Thread.currentThread().interrupt();
                }
            }
        };
    }

    /** KCL's would log a line for each read that is refused, and errors after some. GuardedStreamsClient says it. */
    private static final class SilentThrottling extends ThrottlingReporter {
        SilentThrottling(String shardId) {
            super(0, shardId);
        }

        @Override
        public void throttled() {}
    }
}
