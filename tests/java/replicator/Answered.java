package replicator;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.async.SdkPublisher;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;

/**
 * What clients of the SDK, of both kinds, have in place of a network: answers that a target's input has, one a line, each
 * "200 BODY", "400 BODY" or "500 BODY"; a line without a status has 200. After the last the first comes again.
 */
public final class Answered implements SdkHttpClient, SdkAsyncHttpClient {
    public static final StaticCredentialsProvider KEYS =
            StaticCredentialsProvider.create(AwsBasicCredentials.create("key", "secret"));

    /** Of one input: whoever asks more often asks without end. */
    private static final int MOST_CALLS = 1_000;

    private List<byte[]> lines = List.of();
    private int calls;

    /** @param input all answers that follow */
    public synchronized void say(byte[] input) {
        lines = lines(input);
        calls = 0;
    }

    /** The lines of an input; at least one. */
    public static List<byte[]> lines(byte[] input) {
        List<byte[]> lines = new ArrayList<>();
        int begin = 0;
        for (int i = 0; i <= input.length; i++) {
            if (i == input.length || input[i] == '\n') {
                lines.add(java.util.Arrays.copyOfRange(input, begin, i));
                begin = i + 1;
            }
        }
        return lines;
    }

    private synchronized byte[] next() {
        if (calls == MOST_CALLS) {
            throw new AssertionError("asked without end");
        }
        return lines.get(calls++ % lines.size());
    }

    private static int status(byte[] line) {
        String begin = new String(line, 0, Math.min(line.length, 4), StandardCharsets.ISO_8859_1);
        return begin.matches("[245]00 ") ? Integer.parseInt(begin.trim()) : 0;
    }

    private static SdkHttpResponse head(byte[] line) {
        int status = status(line);
        return SdkHttpResponse.builder().statusCode(status == 0 ? 200 : status)
                .putHeader("Content-Type", "application/x-amz-json-1.0").build();
    }

    private static byte[] body(byte[] line) {
        return status(line) == 0 ? line : java.util.Arrays.copyOfRange(line, 4, line.length);
    }

    @Override
    public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
        return new ExecutableHttpRequest() {
            @Override
            public HttpExecuteResponse call() throws IOException {
                byte[] line = next();
                return HttpExecuteResponse.builder().response(head(line))
                        .responseBody(AbortableInputStream.create(new ByteArrayInputStream(body(line)))).build();
            }

            @Override
            public void abort() {}
        };
    }

    @Override
    public CompletableFuture<Void> execute(AsyncExecuteRequest request) {
        byte[] line = next();
        request.responseHandler().onHeaders(head(line));
        request.responseHandler().onStream(SdkPublisher.fromIterable(List.of(ByteBuffer.wrap(body(line)))));
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public String clientName() {
        return "Answered";
    }

    @Override
    public void close() {}
}
