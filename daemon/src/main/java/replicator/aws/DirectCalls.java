package replicator.aws;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import replicator.log.Event;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.SdkRequest;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;

/**
 * The first try of the two calls that a daemon makes all the time, GetRecords and the update of a lease, without the SDK's
 * pipeline, which takes more CPU than all else that is done for a quiet shard. {@code processor/aws/direct_calls.py} is
 * the like for Python.
 *
 * <p>A direct call is a copy of one that the SDK has made ({@link LearnedCall}), over the same HTTP client, and only its
 * success counts. Whatever else comes of it, the SDK then makes the same call anew: retries, pauses, errors, the service's
 * clock and stale credentials stay its own. After a failure all calls are the SDK's for a while, so that one who is
 * throttled is not asked twice each time.
 */
public final class DirectCalls {
    private static final long LEAST_REST_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long MOST_REST_NANOS = TimeUnit.MINUTES.toNanos(10);

    /** Direct calls that failed one after the other, while the SDK's was answered each time. */
    private static final int SAID_AFTER = 5;

    private static final int MOST_DOUBLINGS = 20;
    private static final int HTTP_OK = 200;

    private final AwsCredentialsProvider credentials;
    private final SdkHttpClient http;
    private final Executor threads;
    private final LongSupplier nanos;
    private final Map<Class<?>, LearnedCall> learned = new ConcurrentHashMap<>();
    private final Rest rest = new Rest();

    /**
     * @param credentials of the SDK's client
     * @param http of the SDK's client
     * @param threads on which its exchanges may wait
     * @param nanos the clock, as {@code System.nanoTime} is one
     */
    DirectCalls(AwsCredentialsProvider credentials, SdkHttpClient http, Executor threads, LongSupplier nanos) {
        this.credentials = credentials;
        this.http = http;
        this.threads = threads;
        this.nanos = nanos;
    }

    /** For a client that isn't ours: the SDK makes all calls. */
    public static DirectCalls none() {
        return new DirectCalls(null, null, Runnable::run, System::nanoTime);
    }

    /** Of the SDK's client, whose own calls it sees. */
    ExecutionInterceptor learning() {
        return new ExecutionInterceptor() {
            @Override
            public void beforeTransmission(Context.BeforeTransmission context, ExecutionAttributes attributes) {
                try {
                    learn(context.request(), context.httpRequest());
                } catch (RuntimeException e) { // it is the SDK's call, which this is no part of
                    learned.remove(context.request().getClass());
                }
            }

            @Override
            public void afterExecution(Context.AfterExecution context, ExecutionAttributes attributes) {
                if (learned.containsKey(context.request().getClass())) {
                    rest.sdkAnswered(true);
                }
            }

            @Override
            public void onExecutionFailure(Context.FailedExecution context, ExecutionAttributes attributes) {
                rest.sdkAnswered(false);
            }
        };
    }

    private void learn(SdkRequest request, SdkHttpRequest sent) {
        byte[] body = RequestBodies.of(request);
        LearnedCall found = body == null ? null : LearnedCall.of(sent, credentials.resolveCredentials(), body);
        if (found != null) {
            learned.put(request.getClass(), found);
        }
    }

    /** Exchanges that others wait for. */
    public Executor threads() {
        return threads;
    }

    /**
     * A call to be made directly.
     *
     * @return null where the SDK is to make it
     */
    public Call prepared(SdkRequest request) {
        LearnedCall like = learned.get(request.getClass());
        if (like == null || rest.isOn()) {
            return null;
        }
        try {
            AwsCredentials keys = credentials.resolveCredentials();
            byte[] body = like.isOf(keys) ? RequestBodies.of(request) : null;
            return body == null ? null : new Call(http.prepareRequest(like.with(body)));
        } catch (RuntimeException e) {
            rest.begin(e); // as when there are no credentials: the SDK says so, and each look for them may be a call of STS
            return null;
        }
    }

    /** Reads the body of an answer with the status 200. */
    @FunctionalInterface
    public interface Reader<T> {
        /** @throws IOException if it isn't what it must be */
        T read(InputStream body, SdkHttpResponse head) throws IOException;
    }

    /** One call. */
    public final class Call {
        private final ExecutableHttpRequest exchange;

        private Call(ExecutableHttpRequest exchange) {
            this.exchange = exchange;
        }

        /**
         * Makes it, within {@link AnswerBounds}.
         *
         * @return null where the SDK has to make it anew
         */
        public <T> T answer(Reader<T> reader) {
            try {
                HttpExecuteResponse answer = exchange.call();
                T found;
                try (InputStream body = answer.responseBody().orElseThrow(() -> new IOException("no body"))) {
                    int status = answer.httpResponse().statusCode();
                    if (status != HTTP_OK) { // the SDK hears it in its own words
                        throw new IOException("status " + status);
                    }
                    found = reader.read(body, answer.httpResponse());
                }
                rest.succeeded();
                return found;
            } catch (IOException | RuntimeException e) {
                rest.begin(e);
                return null;
            }
        }

        /** Ends it now: its answer, if there is one, is of no use any more. */
        public void abort() {
            exchange.abort();
        }
    }

    /** The time after a failure, which grows while nothing but failures come. */
    private final class Rest {
        private volatile int failures;
        private volatile long until;
        private int onlyDirect;
        private boolean isAwaited;
        private boolean isSaid;
        private String last;

        boolean isOn() {
            return failures > 0 && nanos.getAsLong() - until < 0;
        }

        void succeeded() {
            if (failures > 0) {
                synchronized (this) {
                    failures = 0;
                    onlyDirect = 0;
                }
            }
        }

        synchronized void begin(Exception failure) {
            until = nanos.getAsLong() + Math.min(MOST_REST_NANOS, LEAST_REST_NANOS << Math.min(failures, MOST_DOUBLINGS));
            failures++;
            last = failure.toString();
            isAwaited = true;
        }

        /** What came of the SDK's call: the first one after a failure tells whether it was the service's, too. */
        void sdkAnswered(boolean isSuccess) {
            if (failures > 0) {
                note(isSuccess);
            }
        }

        private synchronized void note(boolean isSuccess) {
            if (!isAwaited) {
                return;
            }
            isAwaited = false;
            onlyDirect = isSuccess ? onlyDirect + 1 : 0;
            if (onlyDirect >= SAID_AFTER && !isSaid) {
                isSaid = true;
                Event.notice("direct_calls_unused").with("error", last)
                        .note("Direct calls fail where AWS's library is answered, so the library makes nearly all calls. Nothing "
                                + "is lost; a quiet shard takes up to half as much CPU again. If it stays, report it.");
            }
        }
    }
}
