package replicator.aws;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.async.SdkAsyncHttpResponseHandler;

/**
 * The SDK's Netty client, whose bodies are bounded by {@link AnswerBounds}; Netty bounds heads by itself, and the client's
 * apiCallAttemptTimeout the time.
 */
final class BoundedAsyncHttpClient implements SdkAsyncHttpClient {
    private final SdkAsyncHttpClient client;

    BoundedAsyncHttpClient(SdkAsyncHttpClient client) {
        this.client = client;
    }

    @Override
    public CompletableFuture<Void> execute(AsyncExecuteRequest request) {
        AsyncExecuteRequest.Builder bounded = AsyncExecuteRequest.builder()
                .request(request.request())
                .requestContentPublisher(request.requestContentPublisher())
                .responseHandler(new Handler(request.request(), request.responseHandler()))
                .fullDuplex(request.fullDuplex())
                .httpExecutionAttributes(request.httpExecutionAttributes());
        request.metricCollector().ifPresent(bounded::metricCollector);
        return client.execute(bounded.build());
    }

    @Override
    public void close() {
        client.close();
    }

    @Override
    public String clientName() {
        return client.clientName();
    }

    private static final class Handler implements SdkAsyncHttpResponseHandler {
        private final SdkHttpRequest request;
        private final SdkAsyncHttpResponseHandler handler;
        private int most;

        Handler(SdkHttpRequest request, SdkAsyncHttpResponseHandler handler) {
            this.request = request;
            this.handler = handler;
        }

        /** What it throws, Netty's handler takes for the exchange's failure, and closes the connection. */
        @Override
        public void onHeaders(SdkHttpResponse head) {
            try {
                most = AnswerBounds.bodyBytes(request, head);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            handler.onHeaders(head);
        }

        @Override
        public void onStream(Publisher<ByteBuffer> body) {
            handler.onStream(reader -> body.subscribe(new Bounded(reader, most)));
        }

        @Override
        public void onError(Throwable error) {
            handler.onError(error);
        }
    }

    /** Passes a body on until it is too large. */
    private static final class Bounded implements Subscriber<ByteBuffer> {
        private final Subscriber<? super ByteBuffer> reader;
        private final int most;
        private Subscription body;
        private int read;
        private boolean isRefused;

        Bounded(Subscriber<? super ByteBuffer> reader, int most) {
            this.reader = reader;
            this.most = most;
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            body = subscription;
            reader.onSubscribe(subscription);
        }

        @Override
        public void onNext(ByteBuffer part) {
            if (isRefused) {
                return;
            }
            if (part.remaining() > most - read) {
                isRefused = true;
                body.cancel();
                reader.onError(AnswerBounds.tooLarge(most));
                return;
            }
            read += part.remaining();
            reader.onNext(part);
        }

        @Override
        public void onError(Throwable error) {
            if (!isRefused) {
                reader.onError(error);
            }
        }

        @Override
        public void onComplete() {
            if (!isRefused) {
                reader.onComplete();
            }
        }
    }
}
