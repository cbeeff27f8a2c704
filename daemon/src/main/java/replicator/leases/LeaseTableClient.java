package replicator.leases;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import replicator.aws.DirectCalls;
import replicator.process.TaskThreads;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.SdkPlugin;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.retries.StandardRetryStrategy;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbRequest;
import software.amazon.awssdk.services.dynamodb.model.ExpectedAttributeValue;
import software.amazon.awssdk.services.dynamodb.model.GetItemRequest;
import software.amazon.awssdk.services.dynamodb.model.ScanRequest;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemRequest;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemResponse;

/**
 * The lease table's client as KCL's lease refresher uses it, made so that one slow answer costs no lease.
 *
 * <p>KCL renews all leases of a worker in rounds, holds a lease's lock through each call, and waits up to a minute for an
 * answer. Here an update on condition of a lease's counter, or a read of one row, is sent again while it has no answer,
 * and the first answer counts. Whoever asked waits for {@link #patienceMillis} at most; an answer after that is not lost,
 * for {@link LeaseAttempts} has it. A call that was answered with an error is retried by the SDK, for
 * a moment only, so that a caller who is throttled or refused learns of it.
 *
 * <pre>
 *   0            F/15          2F/15        F/5                                      F = failoverTimeMillis
 *   │ first try ─┼─────────────┼────────────┼─────────────────────────────────────▶ its answer still counts here
 *                │ second try ─┼────────────┼──▶
 *                              │ third try ─┼──▶
 *                                           └ the caller goes on, and lets go of the lease's lock
 * </pre>
 */
final class LeaseTableClient implements InvocationHandler {
    /** The lease's row, in KCL's words (DynamoDBLeaseSerializer). */
    private static final String KEY = "leaseKey";

    private static final String COUNTER = "leaseCounter";
    private static final String OWNER = "leaseOwner";

    private static final int TRIES = 3;

    /** Of one row at one counter, those that wait for their answers: a connection each. */
    private static final int MOST_OPEN = 2 * TRIES;

    /** A caller with a long failover time would otherwise hear late that nobody answers. */
    private static final long MOST_PATIENCE_MILLIS = 2_000;

    /** A page of a scan is up to 1 MB. */
    private static final long LEAST_SCAN_MILLIS = 2_000;

    private static final BackoffStrategy SOON =
            BackoffStrategy.exponentialDelay(Duration.ofMillis(25), Duration.ofMillis(100));

    private final SdkPlugin fewRetries = new FewRetries(
            AwsRetryStrategy.standardRetryStrategy().toBuilder()
                    .maxAttempts(3).backoffStrategy(SOON).throttlingBackoffStrategy(SOON).build());

    private final DynamoDbAsyncClient client;
    private final LeaseAttempts attempts;
    private final LeaseTerms terms;
    private final RecordCounts counts;
    private final long failoverMillis;
    private final long patienceMillis;
    private final DirectUpdates direct;
    private final ScheduledThreadPoolExecutor timer = TaskThreads.timers("lease-tries", 1);

    private LeaseTableClient(DynamoDbAsyncClient client, LeaseAttempts attempts, LeaseTerms terms,
            RecordCounts counts, long failoverMillis, DirectCalls calls) {
        this.client = client;
        this.attempts = attempts;
        this.terms = terms;
        this.counts = counts;
        this.failoverMillis = failoverMillis;
        this.direct = new DirectUpdates(calls, timer);
        this.patienceMillis = Math.min(failoverMillis / 5, MOST_PATIENCE_MILLIS);
    }

    /**
     * All other calls go to {@code client} as they are.
     *
     * @param attempts is told of every update on condition of a lease's counter
     * @param terms told of every renewal and checkpoint that was done, however late its answer
     * @param counts told of every row that is read alone, and asked what a checkpoint is to take along
     * @param calls of {@code client}, for the updates' first tries
     */
    static DynamoDbAsyncClient of(DynamoDbAsyncClient client, LeaseAttempts attempts, LeaseTerms terms,
            RecordCounts counts, long failoverMillis, DirectCalls calls) {
        return (DynamoDbAsyncClient) Proxy.newProxyInstance(
                DynamoDbAsyncClient.class.getClassLoader(), new Class<?>[] {DynamoDbAsyncClient.class},
                new LeaseTableClient(client, attempts, terms, counts, failoverMillis, calls));
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
        Object request = arguments == null || arguments.length != 1 ? null : arguments[0];
        if (request instanceof UpdateItemRequest) {
            return updateItem((UpdateItemRequest) request);
        }
        if (request instanceof GetItemRequest) {
            return getItem((GetItemRequest) request);
        }
        if (request instanceof ScanRequest) {
            ScanRequest scan = (ScanRequest) request;
            long millis = Math.max(failoverMillis, LEAST_SCAN_MILLIS);
            return client.scan(scan.toBuilder()
                    .overrideConfiguration(bounded(scan, 3 * millis).toBuilder()
                            .apiCallAttemptTimeout(Duration.ofMillis(millis)).build())
                    .build());
        }
        try {
            return method.invoke(client, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private CompletableFuture<?> getItem(GetItemRequest request) {
        GetItemRequest bounded =
                request.toBuilder().overrideConfiguration(bounded(request, failoverMillis)).build();
        String shardId = request.key().get(KEY).s();
        return new Hedged<>(ignored -> client.getItem(bounded).thenApply(response -> { // before KCL has it
            counts.found(shardId, response.item());
            return response;
        })).answer();
    }

    private CompletableFuture<?> updateItem(UpdateItemRequest given) {
        ExpectedAttributeValue expected = given.expected().get(COUNTER);
        if (expected == null || expected.value() == null || expected.value().n() == null) {
            return sdkUpdate(given, failoverMillis); // evicting, and what KCL 3's leader does: on condition of the owner
        }
        String shardId = given.key().get(KEY).s();
        UpdateItemRequest request = counts.with(shardId, given);
        long counter = Long.parseLong(expected.value().n());
        // To take a lease begins a term of its own (FleetLeaseRefresher).
        LeaseTerms.Term term = request.attributeUpdates().containsKey(OWNER) ? null : terms.of(shardId);
        return new Hedged<>(isFirst -> {
            if (!isFirst && attempts.open(shardId, counter) >= MOST_OPEN) {
                return null;
            }
            LeaseTerms.Moment asked = LeaseTerms.Moment.now();
            attempts.begin(shardId, counter, asked);
            return direct.updateItem(request, failoverMillis, left -> sdkUpdate(request, left)).whenComplete((response, error) -> {
                if (error != null) {
                    attempts.failed(shardId, counter);
                    return;
                }
                attempts.landed(shardId, counter, asked);
                if (term != null && !terms.isSleptThrough(term)) {
                    terms.extend(shardId, term, asked);
                }
            });
        }).answer();
    }

    private CompletableFuture<UpdateItemResponse> sdkUpdate(UpdateItemRequest request, long millis) {
        return client.updateItem(request.toBuilder().overrideConfiguration(bounded(request, millis)).build());
    }

    private AwsRequestOverrideConfiguration bounded(DynamoDbRequest request, long millis) {
        return request.overrideConfiguration().map(AwsRequestOverrideConfiguration::toBuilder)
                .orElseGet(AwsRequestOverrideConfiguration::builder)
                .apiCallTimeout(Duration.ofMillis(millis))
                .addPlugin(fewRetries)
                .build();
    }

    /** One call, of up to {@link #TRIES} requests. */
    private final class Hedged<T> {
        private final Function<Boolean, CompletableFuture<T>> send;
        private final CompletableFuture<T> answer = new CompletableFuture<>();
        private final AtomicInteger open = new AtomicInteger();
        private volatile Future<?> next;

        /** @param send makes one request, told whether it is the call's first; null where it can't be made now */
        Hedged(Function<Boolean, CompletableFuture<T>> send) {
            this.send = send;
        }

        CompletableFuture<T> answer() {
            attempt(0);
            Future<?> patience = timer.schedule(this::giveUp, patienceMillis, TimeUnit.MILLISECONDS);
            answer.whenComplete((response, error) -> { // nearly always at once: the timer's thread need not wake for it
                patience.cancel(false);
                next.cancel(false);
            });
            return answer;
        }

        private void attempt(int number) {
            if (answer.isDone()) {
                return;
            }
            if (number + 1 < TRIES) {
                next = timer.schedule(() -> attempt(number + 1), patienceMillis / TRIES, TimeUnit.MILLISECONDS);
            }
            open.incrementAndGet();
            CompletableFuture<T> sent = send.apply(number == 0);
            if (sent == null) {
                open.decrementAndGet();
            } else {
                sent.whenComplete(this::answered);
            }
        }

        /** A failure that another try may mend is passed over while one is under way; a refused condition says something. */
        private void answered(T response, Throwable error) {
            int others = open.decrementAndGet();
            if (error == null) {
                answer.complete(response);
                return;
            }
            Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
            if (others == 0 || cause instanceof ConditionalCheckFailedException) {
                answer.completeExceptionally(cause);
            }
        }

        private void giveUp() {
            answer.completeExceptionally(
                    ApiCallTimeoutException.create("No answer within " + patienceMillis + " ms", null));
        }
    }

    /** Requests carry it, so that it holds whoever made the client. */
    private static final class FewRetries implements SdkPlugin {
        private final StandardRetryStrategy strategy;

        FewRetries(StandardRetryStrategy strategy) {
            this.strategy = strategy;
        }

        @Override
        public void configureClient(software.amazon.awssdk.core.SdkServiceClientConfiguration.Builder config) {
            config.overrideConfiguration(
                    config.overrideConfiguration().toBuilder().retryStrategy(strategy).build());
        }
    }
}
