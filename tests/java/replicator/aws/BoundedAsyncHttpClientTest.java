package replicator.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.async.SdkAsyncHttpResponseHandler;

/** An answer of Netty's client, of which no more is passed on than it may have. */
class BoundedAsyncHttpClientTest {
    private static final int PART_BYTES = 64 * 1024;

    private final Reader reader = new Reader();

    /** What the reader gets of so many parts. */
    private boolean ask(int parts) {
        Server server = new Server(parts);
        SdkHttpRequest request = SdkHttpRequest.builder().method(SdkHttpMethod.POST).protocol("http").host("h").build();
        new BoundedAsyncHttpClient(server)
                .execute(AsyncExecuteRequest.builder().request(request).responseHandler(reader).build()).join();
        return server.isCancelled;
    }

    @Test
    void whatItMayHaveIsPassedOn() {
        assertEquals(false, ask(16));
        assertEquals(16 * PART_BYTES, reader.bytes);
        assertTrue(reader.isComplete);
        assertNull(reader.error);
    }

    @Test
    void withMoreItIsCutOff() {
        assertTrue(ask(17));
        assertEquals(16 * PART_BYTES, reader.bytes);
        assertEquals(false, reader.isComplete);
        assertNotNull(reader.error);
    }

    /** Answers with a body of so many parts, and doesn't care whether anybody wants more. */
    private static final class Server implements SdkAsyncHttpClient {
        private final int parts;
        private boolean isCancelled;

        Server(int parts) {
            this.parts = parts;
        }

        @Override
        public CompletableFuture<Void> execute(AsyncExecuteRequest request) {
            request.responseHandler().onHeaders(SdkHttpResponse.builder().statusCode(200).build());
            request.responseHandler().onStream(body -> {
                body.onSubscribe(new Subscription() {
                    @Override
                    public void request(long wanted) {}

                    @Override
                    public void cancel() {
                        isCancelled = true;
                    }
                });
                for (int i = 0; i < parts; i++) {
                    body.onNext(ByteBuffer.allocate(PART_BYTES));
                }
                body.onNext(ByteBuffer.allocate(0)); // on its way when it was cut off
                body.onComplete();
            });
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public void close() {}
    }

    /** Counts what comes. */
    private static final class Reader implements SdkAsyncHttpResponseHandler, Subscriber<ByteBuffer> {
        private int bytes;
        private boolean isComplete;
        private Throwable error;

        @Override
        public void onHeaders(SdkHttpResponse head) {}

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
            bytes += part.remaining();
        }

        @Override
        public void onError(Throwable failure) {
            error = failure;
        }

        @Override
        public void onComplete() {
            isComplete = true;
        }
    }
}
