package replicator.aws;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.thirdparty.jackson.core.StreamReadConstraints;

/**
 * The largest size, time and nesting of an answer. An answer that exceeds one of them counts as a failed call: it is retried
 * and reported. {@code processor/aws} has the bounds of the Python half.
 *
 * <p>Each bound is several times what AWS answers at most: 1 MB of changes in a page of GetRecords, and of items in a page
 * of Scan (both grow by their JSON, at worst eightfold), 100 shards in one of DescribeStream.
 */
public final class AnswerBounds {
    /** From the request to the answer's last byte. A page has up to 1 MB, which a slow line takes its time for. */
    static final Duration TIME = Duration.ofSeconds(30);

    /** The most bytes of a header line, and the most lines. AWS sends about ten of some 100 bytes. */
    static final int HEAD_LINE_BYTES = 16 * 1024;

    static final int HEAD_LINES = 100;

    /** Answers as "100 Continue" before the one that counts. */
    static final int INTERIM_ANSWERS = 8;

    /**
     * Objects and arrays in one another. DynamoDB allows 32 levels in an item, which are 64 in its JSON, and a record's own
     * come on top. It is bounded because what reads nested JSON or XML calls itself for each level.
     */
    public static final int NESTING = 250;

    /** The most digits of a JSON number; numbers of items are JSON strings. */
    public static final int NUMBER_CHARACTERS = 100;

    /** Ten times DynamoDB's most; without an end they would be a megabyte of small objects for each 10 KB. */
    public static final int RECORDS = 10_000;

    private static final int HTTP_OK = 200;
    private static final int KIB = 1024;
    private static final int PAGE_BYTES = 16 * KIB * KIB;
    private static final int LISTING_BYTES = 4 * KIB * KIB;
    private static final int OTHER_BYTES = KIB * KIB;

    /** The SDK makes objects of an error's whole body. */
    private static final int ERROR_BYTES = 256 * KIB;

    private static final Set<String> LISTINGS = Set.of("Scan", "Query", "DescribeStream");

    private AnswerBounds() {}

    /** Sets those of the SDK's own parsers, which have no other way. To be called before the SDK's first client is made. */
    public static void install() {
        StreamReadConstraints.overrideDefaultStreamReadConstraints(StreamReadConstraints.builder()
                .maxNestingDepth(NESTING).maxNumberLength(NUMBER_CHARACTERS).maxStringLength(LISTING_BYTES).build());
        if (System.getProperty("jdk.xml.maxElementDepth") == null) { // answers of STS and CloudWatch
            System.setProperty("jdk.xml.maxElementDepth", String.valueOf(NESTING));
        }
    }

    /**
     * Looks at an answer's head.
     *
     * @return the most bytes that its body may have
     * @throws IOException if it has no body that could be read within these bounds
     */
    static int bodyBytes(SdkHttpRequest request, SdkHttpResponse response) throws IOException {
        if (response.statusCode() < HTTP_OK) { // such as 101: what follows would be no HTTP
            throw new IOException("an interim answer (status " + response.statusCode() + "), which was not asked for");
        }
        String encoding = response.firstMatchingHeader("Content-Encoding").orElse("identity");
        if (!encoding.strip().toLowerCase(Locale.ROOT).equals("identity")) {
            throw new IOException("the answer is compressed, which was not asked for"); // a few KB may become gigabytes
        }
        int most = most(request, response);
        List<String> lengths = response.matchingHeaders("Content-Length");
        if (lengths.size() > 1 || !lengths.stream().allMatch(each -> each.matches("[0-9]{1,18}"))) {
            throw new IOException("the answer's Content-Length is none");
        }
        if (!lengths.isEmpty() && Long.parseLong(lengths.get(0)) > most) {
            throw tooLarge(most);
        }
        return most;
    }

    private static int most(SdkHttpRequest request, SdkHttpResponse response) {
        if (!response.isSuccessful()) {
            return ERROR_BYTES;
        }
        String target = request.firstMatchingHeader("X-Amz-Target").orElse(""); // as DynamoDB_20120810.Scan
        String call = target.substring(target.indexOf('.') + 1);
        return call.equals("GetRecords") ? PAGE_BYTES : LISTINGS.contains(call) ? LISTING_BYTES : OTHER_BYTES;
    }

    static IOException tooLarge(int most) {
        return new IOException("the answer is larger than any can be: it has more than " + most + " bytes");
    }
}
