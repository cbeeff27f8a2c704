package replicator.page;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.CRC32;
import software.amazon.awssdk.core.exception.RetryableException;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttribute;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.http.SdkHttpResponse;

/**
 * Takes the records out of GetRecords' answer before the SDK makes objects of them. Signing, retries and errors stay the
 * SDK's, which is left an answer without records.
 */
public final class PageInterceptor implements ExecutionInterceptor {
    /** Where a request that carries it finds its page; others are not touched. */
    static final ExecutionAttribute<AtomicReference<Page>> PAGE = new ExecutionAttribute<>("Page");

    /** How old an empty page may be that is as good as a new one, in nanoseconds: for {@link SharedPages}. */
    static final ExecutionAttribute<Long> FRESH_NANOS = new ExecutionAttribute<>("PageFresh");

    private static final ExecutionAttribute<String> CHECKSUM = new ExecutionAttribute<>("PageChecksum");
    static final String CHECKSUM_HEADER = "x-amz-crc32";
    private static final JsonFactory JSON = new JsonFactory();

    private static final int USUAL_BYTES = 2 * 1024 * 1024;

    /** Larger ones that are read at a time, each up to three times 16 MB. */
    private final Semaphore large = new Semaphore(4);

    @Override
    public SdkHttpResponse modifyHttpResponse(Context.ModifyHttpResponse context, ExecutionAttributes attributes) {
        SdkHttpResponse response = context.httpResponse();
        if (!isPage(response, attributes)) {
            return response;
        }
        attributes.putAttribute(CHECKSUM, response.firstMatchingHeader(CHECKSUM_HEADER).orElse(null));
        return response.toBuilder().removeHeader(CHECKSUM_HEADER).removeHeader("Content-Length")
                .build(); // both are of the body that is taken away
    }

    @Override
    public Optional<InputStream> modifyHttpResponseContent(
            Context.ModifyHttpResponse context, ExecutionAttributes attributes) {
        Optional<InputStream> body = context.responseBody();
        if (!isPage(context.httpResponse(), attributes)) {
            return body;
        }
        if (body.isEmpty()) {
            throw none("it has no body"); // the SDK would take it for a shard's end
        }
        Page page = page(body.get(), attributes.getAttribute(CHECKSUM));
        attributes.getAttribute(PAGE).set(page);
        try {
            return Optional.of(new ByteArrayInputStream(withoutRecords(page)));
        } catch (IOException e) {
            throw none(e.getMessage());
        }
    }

    /**
     * The page of an answer.
     *
     * @param checksum that the answer's head names, or null
     * @throws RetryableException if it is no page, or can't be read
     */
    Page page(InputStream body, String checksum) {
        byte[] answer = whole(body, checksum);
        try {
            return Page.of(answer);
        } catch (JsonProcessingException e) { // which may quote an item's content
            throw none(e.getLocation() == null ? "it is nested too deeply, or has too long a number"
                    : "no JSON from byte " + e.getLocation().getByteOffset() + " on");
        } catch (IOException e) {
            throw none(e.getMessage());
        }
    }

    private static RetryableException none(String why) {
        return RetryableException.create("GetRecords: the answer can't be understood: " + why);
    }

    private static boolean isPage(SdkHttpResponse response, ExecutionAttributes attributes) {
        return attributes.getAttribute(PAGE) != null && response.isSuccessful();
    }

    private byte[] whole(InputStream body, String checksum) {
        try (body) {
            byte[] answer = read(body);
            CRC32 found = new CRC32();
            found.update(answer);
            if (checksum != null && !checksum.equals(String.valueOf(found.getValue()))) {
                throw RetryableException.create("GetRecords: the answer is not what was sent (its CRC32 differs)");
            }
            return answer;
        } catch (InterruptedException e) { // the SDK's own deadline
            Thread.currentThread().interrupt();
            throw RetryableException.create("GetRecords: the answer was waited for in vain", e);
        } catch (IOException e) {
            throw RetryableException.create("GetRecords: the answer can't be read: " + e.getMessage(), e);
        }
    }

    /** Of all shards' pages, few are larger than usual; of endless ones all are, and together would be all of the heap. */
    private byte[] read(InputStream body) throws IOException, InterruptedException {
        byte[] begin = body.readNBytes(USUAL_BYTES);
        if (begin.length < USUAL_BYTES) {
            return begin;
        }
        large.acquire();
        try {
            byte[] rest = body.readAllBytes(); // bounded, see BoundedBody
            byte[] answer = Arrays.copyOf(begin, begin.length + rest.length);
            System.arraycopy(rest, 0, answer, begin.length, rest.length);
            return answer;
        } finally {
            large.release();
        }
    }

    private static byte[] withoutRecords(Page page) throws IOException {
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(written)) {
            json.writeStartObject();
            if (page.nextShardIterator() != null) {
                json.writeStringField("NextShardIterator", page.nextShardIterator());
            }
            json.writeEndObject();
        }
        return written.toByteArray();
    }
}
