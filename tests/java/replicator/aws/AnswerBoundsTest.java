package replicator.aws;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;

/** How large an answer's body may be, by its head. */
class AnswerBoundsTest {
    private static int bytes(String call, int status, String header, String value) throws IOException {
        SdkHttpRequest request = SdkHttpRequest.builder().method(SdkHttpMethod.POST).protocol("https").host("h")
                .putHeader("X-Amz-Target", "DynamoDBStreams_20120810." + call).build();
        return AnswerBounds.bodyBytes(
                request, SdkHttpResponse.builder().statusCode(status).putHeader(header, value).build());
    }

    @Test
    void aPageMayBeLargerThanAListingAndThatThanAnError() throws IOException {
        int page = bytes("GetRecords", 200, "Content-Length", "1");
        int listing = bytes("DescribeStream", 200, "Content-Length", "1");
        assertTrue(page > listing);
        assertTrue(listing > bytes("GetRecords", 400, "Content-Length", "1"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "x", "", "1,2", "99999999999999999999", "999999999999"})
    void whatIsNoLengthIsRefused(String length) {
        assertThrows(IOException.class, () -> bytes("GetRecords", 200, "Content-Length", length));
    }

    @Test
    void neitherAnInterimAnswerNorACompressedOne() {
        assertThrows(IOException.class, () -> bytes("GetRecords", 100, "Content-Length", "1"));
        assertThrows(IOException.class, () -> bytes("GetRecords", 200, "Content-Encoding", "gzip"));
    }
}
