package replicator.aws;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinWorkerThread;
import java.util.concurrent.TimeUnit;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import software.amazon.awssdk.core.async.SdkPublisher;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.async.SdkAsyncHttpResponseHandler;
import software.amazon.awssdk.utils.BinaryUtils;

/**
 * Lets the SDK's asynchronous clients, which KCL uses for its tables and for CloudWatch, make their calls by a synchronous HTTP
 * client: each exchange has a thread while it is under way, and its answer is handed on when it is complete.
 *
 * <p>The SDK's own asynchronous client, Netty's, is made for thousands of exchanges at a time. A quiet daemon makes one or
 * two a second, which cost half as much of a synchronous client that is there for the stream already.
 */
final class ThreadedHttpClient implements SdkAsyncHttpClient {
    /** As many as either of the SDK's clients has connections, unless it is told otherwise. */
    static final int MOST_EXCHANGES = 50;

    private static final int IDLE_SECONDS = 60;

    private final SdkHttpClient client;

    /** Unlike others it starts no thread while one is idle, and lets those that have long been idle go. */
    private final ForkJoinPool threads;

    /**
     * @param client must bound its answers, for they are held as a whole
     * @param name of the threads
     */
    ThreadedHttpClient(SdkHttpClient client, String name) {
        this.client = client;
        this.threads = new ForkJoinPool(MOST_EXCHANGES, pool -> {
            ForkJoinWorkerThread made = ForkJoinPool.defaultForkJoinWorkerThreadFactory.newThread(pool);
            made.setName(name);
            return made;
        }, null, true, 0, MOST_EXCHANGES, 1, null, IDLE_SECONDS, TimeUnit.SECONDS);
    }

    /** What its exchanges are made with. */
    SdkHttpClient client() {
        return client;
    }

    /** On which its exchanges wait. */
    Executor threads() {
        return threads;
    }

    @Override
    public CompletableFuture<Void> execute(AsyncExecuteRequest asked) {
        Exchange exchange = new Exchange(asked);
        asked.requestContentPublisher().subscribe(exchange);
        return exchange.ended;
    }

    @Override
    public void close() {
        threads.shutdown();
        client.close();
    }

    @Override
    public String clientName() {
        return client.clientName();
    }

    /** Takes the request's body, and then a thread. */
    private final class Exchange implements Subscriber<ByteBuffer> {
        private final AsyncExecuteRequest asked;
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private final CompletableFuture<Void> ended = new CompletableFuture<>();

        Exchange(AsyncExecuteRequest asked) {
            this.asked = asked;
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(ByteBuffer part) {
            body.writeBytes(BinaryUtils.copyBytesFrom(part));
        }

        @Override
        public void onError(Throwable error) {
            fail(error);
        }

        @Override
        public void onComplete() {
            try {
                threads.execute(this::run);
            } catch (RuntimeException | Error e) { // the client is closed, or the machine has no thread left
                fail(new IOException("no thread for an HTTP exchange", e));
            }
        }

        private void run() {
            if (ended.isDone()) { // it has waited for a thread until nobody waited for it
                return;
            }
            try {
                byte[] content = body.toByteArray();
                ExecutableHttpRequest call = client.prepareRequest(HttpExecuteRequest.builder()
                        .request(asked.request())
                        .contentStreamProvider(() -> new ByteArrayInputStream(content))
                        .build());
                ended.whenComplete((nothing, failure) -> {
                    if (failure != null) { // the SDK's way to say that its time is up
                        call.abort();
                    }
                });
                hand(call.call());
                ended.complete(null);
            } catch (IOException | RuntimeException | Error e) {
                fail(e);
            }
        }

        private void hand(HttpExecuteResponse answer) throws IOException {
            Optional<AbortableInputStream> stream = answer.responseBody();
            List<ByteBuffer> whole = List.of();
            if (stream.isPresent()) {
                try (AbortableInputStream read = stream.get()) {
                    whole = List.of(ByteBuffer.wrap(read.readAllBytes()));
                }
            }
            SdkAsyncHttpResponseHandler handler = asked.responseHandler();
            handler.onHeaders(answer.httpResponse());
            handler.onStream(SdkPublisher.fromIterable(whole));
        }

        private void fail(Throwable error) {
            try {
                asked.responseHandler().onError(error);
            } finally {
                ended.completeExceptionally(error);
            }
        }
    }
}
