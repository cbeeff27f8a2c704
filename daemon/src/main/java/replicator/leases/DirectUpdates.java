package replicator.leases;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import java.util.zip.CRC32;
import replicator.aws.AnswerBounds;
import replicator.aws.DirectCalls;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemRequest;
import software.amazon.awssdk.services.dynamodb.model.UpdateItemResponse;

/** Updates of leases, made directly where that is possible, and by the SDK else. */
final class DirectUpdates {
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(AnswerBounds.NESTING).maxNumberLength(AnswerBounds.NUMBER_CHARACTERS).build())
            .build();

    private final DirectCalls calls;
    private final ScheduledExecutorService timer;

    /** @param timer ends what takes too long */
    DirectUpdates(DirectCalls calls, ScheduledExecutorService timer) {
        this.calls = calls;
        this.timer = timer;
    }

    /**
     * Makes the update.
     *
     * @param millis for all of it
     * @param sdk has the SDK make it, in as many milliseconds as it is given
     */
    CompletableFuture<UpdateItemResponse> updateItem(
            UpdateItemRequest request, long millis, LongFunction<CompletableFuture<UpdateItemResponse>> sdk) {
        DirectCalls.Call call = request.overrideConfiguration().isPresent() ? null : calls.prepared(request);
        if (call == null) {
            return sdk.apply(millis);
        }
        CompletableFuture<UpdateItemResponse> ended = new CompletableFuture<>();
        long began = System.nanoTime();
        try {
            calls.threads().execute(() -> run(call, ended, () -> sdk.apply(
                    Math.max(1, millis - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began)))));
        } catch (RejectedExecutionException e) { // the client is closed, and says so itself
            return sdk.apply(millis);
        }
        Future<?> timeUp = timer.schedule(() -> {
            if (ended.completeExceptionally(ApiCallTimeoutException.create("No answer within " + millis + " ms", null))) {
                call.abort();
            }
        }, millis, TimeUnit.MILLISECONDS);
        ended.whenComplete((response, error) -> timeUp.cancel(false));
        return ended;
    }

    private static void run(DirectCalls.Call call, CompletableFuture<UpdateItemResponse> ended,
            Supplier<CompletableFuture<UpdateItemResponse>> sdk) {
        if (ended.isDone()) { // it has waited for a thread for all of its time
            return;
        }
        try {
            UpdateItemResponse answer = call.answer(DirectUpdates::read);
            if (answer != null) {
                ended.complete(answer);
            } else if (!ended.isDone()) {
                sdk.get().whenComplete((response, error) -> {
                    if (error == null) {
                        ended.complete(response);
                    } else {
                        ended.completeExceptionally(error);
                    }
                });
            }
        } catch (RuntimeException | Error e) {
            ended.completeExceptionally(e);
        }
    }

    /** An update that asks for no values is answered by an object without members that anybody reads. */
    static UpdateItemResponse read(InputStream body, SdkHttpResponse head) throws IOException {
        byte[] answer = body.readAllBytes(); // bounded, see BoundedBody
        String checksum = head.firstMatchingHeader("x-amz-crc32").orElse(null);
        CRC32 found = new CRC32();
        found.update(answer);
        if (checksum != null && !checksum.equals(String.valueOf(found.getValue()))) {
            throw new IOException("the answer is not what was sent (its CRC32 differs)");
        }
        if (!isObject(answer)) {
            throw new IOException("the answer is none of UpdateItem's");
        }
        return UpdateItemResponse.builder().build();
    }

    private static boolean isObject(byte[] answer) throws IOException {
        try (JsonParser json = JSON.createParser(answer)) {
            boolean isObject = json.nextToken() == JsonToken.START_OBJECT;
            json.skipChildren();
            return isObject && json.currentToken() == JsonToken.END_OBJECT && json.nextToken() == null;
        } catch (JsonProcessingException e) { // which may quote it
            return false;
        }
    }
}
