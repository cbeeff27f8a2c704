package replicator.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import software.amazon.awssdk.core.internal.http.async.SimpleHttpContentPublisher;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpFullRequest;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpResponseHandler;

/** A synchronous client's exchanges, each on a thread. */
@Timeout(60)
class ThreadedHttpClientTest {
    private static final byte[] QUESTION = "question".getBytes(StandardCharsets.US_ASCII);

    /** What stands for the network: it answers with what it was asked, once it may. */
    private static final class Echo implements SdkHttpClient {
        private final Semaphore may = new Semaphore(0);
        private final Set<Thread> threads = ConcurrentHashMap.newKeySet();
        private final AtomicInteger underWay = new AtomicInteger();
        private final AtomicInteger most = new AtomicInteger();
        private final CountDownLatch aborted = new CountDownLatch(1);
        private volatile IOException failure;

        @Override
        public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
            return new ExecutableHttpRequest() {
                @Override
                public HttpExecuteResponse call() throws IOException {
                    threads.add(Thread.currentThread());
                    most.accumulateAndGet(underWay.incrementAndGet(), Math::max);
                    may.acquireUninterruptibly();
                    underWay.decrementAndGet();
                    if (failure != null) {
                        throw failure;
                    }
                    byte[] body = request.contentStreamProvider().orElseThrow().newStream().readAllBytes();
                    return HttpExecuteResponse.builder()
                            .response(SdkHttpResponse.builder().statusCode(200).build())
                            .responseBody(AbortableInputStream.create(new ByteArrayInputStream(body))).build();
                }

                @Override
                public void abort() {
                    aborted.countDown();
                }
            };
        }

        @Override
        public void close() {}
    }

    /** What the SDK does with an answer. */
    private static class Answer implements SdkAsyncHttpResponseHandler, Subscriber<ByteBuffer> {
        private final CompletableFuture<String> whole = new CompletableFuture<>();
        private final StringBuilder text = new StringBuilder();

        @Override
        public void onHeaders(SdkHttpResponse head) {
            text.append(head.statusCode()).append(' ');
        }

        @Override
        public void onStream(Publisher<ByteBuffer> body) {
            body.subscribe(this);
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(ByteBuffer part) {
            text.append(StandardCharsets.US_ASCII.decode(part));
        }

        @Override
        public void onError(Throwable error) {
            whole.completeExceptionally(error);
        }

        @Override
        public void onComplete() {
            whole.complete(text.toString());
        }
    }

    private final Echo echo = new Echo();
    private final ThreadedHttpClient client = new ThreadedHttpClient(echo, "calls");

    private CompletableFuture<Void> ask(Answer answer) {
        SdkHttpFullRequest request = SdkHttpFullRequest.builder().method(SdkHttpMethod.POST)
                .uri(URI.create("http://localhost")).contentStreamProvider(() -> new ByteArrayInputStream(QUESTION)).build();
        return client.execute(AsyncExecuteRequest.builder().request(request)
                .requestContentPublisher(new SimpleHttpContentPublisher(request)).responseHandler(answer).build());
    }

    @Test
    void anAnswerIsHandedOnAsAWhole() throws Exception {
        echo.may.release();
        Answer answer = new Answer();
        ask(answer).get();
        assertEquals("200 question", answer.whole.get());
    }

    @Test
    void aFailureIsToldToBoth() {
        echo.failure = new IOException("refused");
        echo.may.release();
        Answer answer = new Answer();
        CompletableFuture<Void> ended = ask(answer);
        assertSame(echo.failure, assertThrows(ExecutionException.class, ended::get).getCause());
        assertSame(echo.failure, assertThrows(ExecutionException.class, answer.whole::get).getCause());
    }

    /** As a renewal that a stop overtakes. */
    @Test
    void oneThatIsAskedForAfterTheCloseFails() {
        client.close();
        Answer answer = new Answer();
        CompletableFuture<Void> ended = ask(answer);
        assertTrue(assertThrows(ExecutionException.class, ended::get).getCause() instanceof IOException);
        assertTrue(assertThrows(ExecutionException.class, answer.whole::get).getCause() instanceof IOException);
    }

    /** It was asked for before, and is answered or fails. */
    @Test
    void oneThatWaitsForAThreadAtTheCloseComesToAnEnd() throws Exception {
        List<CompletableFuture<Void>> asked = new ArrayList<>();
        for (int i = 0; i < 2 * ThreadedHttpClient.MOST_EXCHANGES; i++) {
            asked.add(ask(new Answer()));
        }
        client.close();
        echo.may.release(asked.size());
        CompletableFuture.allOf(asked.toArray(new CompletableFuture<?>[0])).get();
    }

    /** Whoever is told of a failure may fail itself. */
    @Test
    void aHandlerThatFailsLeavesNobodyWaiting() {
        echo.failure = new IOException("refused");
        echo.may.release();
        CompletableFuture<Void> ended = ask(new Answer() {
            @Override
            public void onError(Throwable error) {
                throw new IllegalStateException("BUG");
            }
        });
        assertSame(echo.failure, assertThrows(ExecutionException.class, ended::get).getCause());
    }

    @Test
    void whoDoesNotWaitAnyLongerEndsTheExchange() throws Exception {
        CompletableFuture<Void> ended = ask(new Answer());
        while (echo.underWay.get() == 0) {
            Thread.onSpinWait();
        }
        ended.completeExceptionally(new IOException("time is up"));
        assertTrue(echo.aborted.await(30, TimeUnit.SECONDS));
        echo.may.release();
    }

    @Test
    void exchangesHaveAsManyThreadsAsAreNeededAndNoMoreThanThereMayBe() throws Exception {
        List<CompletableFuture<Void>> asked = new ArrayList<>();
        for (int i = 0; i < 2 * ThreadedHttpClient.MOST_EXCHANGES; i++) {
            asked.add(ask(new Answer()));
        }
        while (echo.underWay.get() < ThreadedHttpClient.MOST_EXCHANGES) {
            Thread.onSpinWait();
        }
        echo.may.release(asked.size());
        CompletableFuture.allOf(asked.toArray(new CompletableFuture<?>[0])).get();
        assertEquals(ThreadedHttpClient.MOST_EXCHANGES, echo.most.get());
    }

    @Test
    void oneAfterTheOtherNeedsFew() throws Exception {
        for (int i = 0; i < 100; i++) {
            echo.may.release();
            ask(new Answer()).get();
        }
        // One that has just answered may not be idle yet: a busy machine has some more.
        assertTrue(echo.threads.size() <= ThreadedHttpClient.MOST_EXCHANGES / 2,
                () -> echo.threads.size() + " threads for one exchange at a time");
    }
}
