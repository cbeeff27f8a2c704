package replicator.aws;

import ch.qos.logback.classic.LoggerContext;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32;
import replicator.log.Secrets;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.core.SdkRequest;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** Both of the SDK's clients, and direct calls that learn of them, over one network that answers as it is told. */
public final class DirectClients implements SdkHttpClient {
    public final DirectCalls calls;
    public final AtomicInteger bySdk = new AtomicInteger();
    public final CountDownLatch aborted = new CountDownLatch(1);
    final List<SdkHttpRequest> sent = new ArrayList<>();
    final List<byte[]> bodies = new ArrayList<>();
    final AtomicLong nanos = new AtomicLong(1);
    volatile AwsCredentials keys = AwsBasicCredentials.create("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    private final Queue<Answer> answers = new ArrayDeque<>();
    private final ExecutionInterceptor counting = new ExecutionInterceptor() {
        @Override
        public void beforeExecution(Context.BeforeExecution context, ExecutionAttributes attributes) {
            bySdk.incrementAndGet();
        }
    };
    private final ThreadedHttpClient threads = new ThreadedHttpClient(this, "exchanges");
    private final RenewedCredentials credentials =
            new RenewedCredentials(() -> () -> keys, Secrets.of(new LoggerContext()));

    public DirectClients() {
        calls = new DirectCalls(credentials, this, threads.threads(), nanos::get);
    }

    /** What comes instead of an answer: it throws, or waits. */
    @FunctionalInterface
    public interface Answer {
        HttpExecuteResponse get() throws IOException;
    }

    /** The next answer; without any it is "{}" with the status 200. */
    public void next(int status, String body, String... headers) {
        next(() -> answer(status, body, headers));
    }

    /** The next answer, or what happens instead. */
    public synchronized void next(Answer answer) {
        answers.add(answer);
    }

    /** An answer. */
    public static HttpExecuteResponse answer(int status, String body, String... headers) {
        SdkHttpResponse.Builder head = SdkHttpResponse.builder().statusCode(status)
                .putHeader("Content-Type", "application/x-amz-json-1.0");
        for (int i = 0; i < headers.length; i += 2) {
            head.putHeader(headers[i], headers[i + 1]);
        }
        return HttpExecuteResponse.builder().response(head.build()).responseBody(AbortableInputStream.create(
                new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)))).build();
    }

    /** The header x-amz-crc32 of a body. */
    public static String checksum(String body) {
        CRC32 made = new CRC32();
        made.update(body.getBytes(StandardCharsets.UTF_8));
        return String.valueOf(made.getValue());
    }

    /** Whatever failed is long ago. */
    public void rested() {
        nanos.addAndGet(TimeUnit.HOURS.toNanos(1));
    }

    /** Whether the next call would be made directly. */
    public boolean isReady(SdkRequest request) {
        return calls.prepared(request) != null;
    }

    /** Returns when no exchange is under way. */
    public void awaitIdle() {
        if (!((ForkJoinPool) threads.threads()).awaitQuiescence(30, TimeUnit.SECONDS)) {
            throw new AssertionError("an exchange is under way");
        }
    }

    /** How many requests went out so far. */
    public synchronized int sent() {
        return sent.size();
    }

    /** The SDK's client of a stream. */
    public DynamoDbStreamsClient streams(ExecutionInterceptor... more) {
        return DynamoDbStreamsClient.builder().region(Region.EU_WEST_1).endpointOverride(URI.create("http://localhost:1234"))
                .credentialsProvider(credentials).httpClient(this)
                .overrideConfiguration(c -> {
                    c.retryStrategy(DefaultRetryStrategy.doNotRetry()).addExecutionInterceptor(counting);
                    List.of(more).forEach(c::addExecutionInterceptor);
                    c.addExecutionInterceptor(credentials).addExecutionInterceptor(calls.learning());
                }).build();
    }

    /** The SDK's client of tables. */
    public DynamoDbAsyncClient tables() {
        return DynamoDbAsyncClient.builder().region(Region.EU_WEST_1).credentialsProvider(credentials).httpClient(threads)
                .overrideConfiguration(c -> c.retryStrategy(DefaultRetryStrategy.doNotRetry())
                        .addExecutionInterceptor(counting).addExecutionInterceptor(calls.learning())).build();
    }

    @Override
    public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
        return new ExecutableHttpRequest() {
            @Override
            public HttpExecuteResponse call() throws IOException {
                Answer next;
                synchronized (DirectClients.this) {
                    sent.add(request.httpRequest());
                    bodies.add(request.contentStreamProvider().orElseThrow().newStream().readAllBytes());
                    next = answers.poll();
                }
                return next == null ? answer(200, "{}") : next.get();
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
