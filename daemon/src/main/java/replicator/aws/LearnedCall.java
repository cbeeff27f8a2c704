package replicator.aws;

import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;

/**
 * A request that the SDK has made and signed, of which others of the same kind are made: endpoint, region and all headers
 * are the SDK's, the body, date and signature are new.
 *
 * <p>One is learned only where the same request, made here, has the very same signature. So whatever the SDK signs, sends
 * or sets otherwise than is known here, in a later version or by a user's settings, leaves all calls to the SDK.
 */
final class LearnedCall {
    private static final String DATE = "X-Amz-Date";
    private static final String AUTHORIZATION = "Authorization";
    private static final String INVOCATION = "amz-sdk-invocation-id";
    private static final String HASH = "x-amz-content-sha256";
    private static final String LENGTH = "Content-Length";
    private static final String TOKEN = "x-amz-security-token";

    /** Those that stay as they are, in lower case. With any other, the request is one that is not understood here. */
    private static final Set<String> KEPT = Set.of("amz-sdk-request", "content-type", "host", TOKEN, "x-amz-target",
            "user-agent", "accept");

    private static final Set<String> NEW = Set.of(
            DATE.toLowerCase(Locale.ROOT), AUTHORIZATION.toLowerCase(Locale.ROOT), INVOCATION, HASH,
            LENGTH.toLowerCase(Locale.ROOT));

    private static final Pattern SIGNED = Pattern.compile(
            RequestSignature.ALGORITHM + " Credential=[^/,]+/[0-9]{8}/([^/,]+)/([^/,]+)/aws4_request, SignedHeaders=([^,]+), .*");

    private static final DateTimeFormatter DATES =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    /** The SDK goes by the service's clock once it was told that ours is wrong by more than this (RequestTimeTooSkewed). */
    private static final Duration CLOCKS_AGREE = Duration.ofSeconds(30);

    private final SdkHttpRequest sent;
    private final AwsCredentials keys;
    private final RequestSignature signature;
    private final Map<String, String> canonical;
    private final Duration clock;

    private LearnedCall(SdkHttpRequest sent, AwsCredentials keys, RequestSignature signature,
            Map<String, String> canonical, Duration clock) {
        this.sent = sent;
        this.keys = keys;
        this.signature = signature;
        this.canonical = canonical;
        this.clock = clock;
    }

    /**
     * @param sent by the SDK, as it goes out
     * @param keys with which it was signed, as far as is known
     * @param body that it should have
     * @return null where it isn't what was expected
     */
    static LearnedCall of(SdkHttpRequest sent, AwsCredentials keys, byte[] body) {
        Map<String, String> canonical = canonical(sent);
        Matcher signed = SIGNED.matcher(sent.firstMatchingHeader(AUTHORIZATION).orElse(""));
        if (canonical == null || !signed.matches() || sent.method() != SdkHttpMethod.POST
                || !sent.rawQueryParameters().isEmpty() || !Set.of("", "/").contains(sent.encodedPath())
                || !canonical.getOrDefault("amz-sdk-request", "").startsWith("attempt=1;")
                || !Objects.equals(canonical.get(TOKEN), token(keys))) {
            return null;
        }
        String date = canonical.get("x-amz-date");
        RequestSignature signature =
                new RequestSignature(keys, signed.group(1), signed.group(2), List.of(signed.group(3).split(";")));
        String hash = RequestSignature.hash(body);
        try {
            Duration clock = Duration.between(Instant.now(), DATES.parse(date, Instant::from));
            boolean isSame = hash.equals(canonical.get(HASH)) && signed.group().equals(
                    signature.authorization(date, name -> canonical.getOrDefault(name, ""), hash));
            return !isSame ? null : new LearnedCall(sent, keys, signature, canonical,
                    clock.abs().compareTo(CLOCKS_AGREE) > 0 ? clock : Duration.ZERO);
        } catch (DateTimeParseException | NullPointerException e) {
            return null;
        }
    }

    /** Values by names in lower case, as they are signed; null where a header is not known, or stands twice. */
    private static Map<String, String> canonical(SdkHttpRequest sent) {
        Map<String, String> found = new HashMap<>();
        sent.forEachHeader((name, values) -> {
            String lower = name.toLowerCase(Locale.ROOT);
            boolean isKnown = values.size() == 1 && (KEPT.contains(lower) || NEW.contains(lower));
            found.put(lower, isKnown ? values.get(0).strip().replaceAll(" +", " ") : null);
        });
        return found.containsValue(null) ? null : found;
    }

    private static String token(AwsCredentials keys) {
        return keys instanceof AwsSessionCredentials ? ((AwsSessionCredentials) keys).sessionToken() : null;
    }

    /** Whether it goes on with these credentials: with others, an account's endpoint may be another one, too. */
    boolean isOf(AwsCredentials found) {
        return found == keys || found.accessKeyId().equals(keys.accessKeyId())
                && found.secretAccessKey().equals(keys.secretAccessKey()) && Objects.equals(token(found), token(keys));
    }

    /** One like it, with another body, made now. */
    HttpExecuteRequest with(byte[] body) {
        String date = DATES.format(Instant.now().plus(clock));
        String hash = RequestSignature.hash(body);
        String length = Integer.toString(body.length);
        ThreadLocalRandom random = ThreadLocalRandom.current();
        String invocation = new UUID(random.nextLong(), random.nextLong()).toString();
        UnaryOperator<String> header = name -> {
            switch (name) {
                case "x-amz-date":
                    return date;
                case HASH:
                    return hash;
                case "content-length":
                    return length;
                case INVOCATION:
                    return invocation;
                default:
                    return canonical.get(name);
            }
        };
        SdkHttpRequest made = sent.toBuilder()
                .putHeader(DATE, date).putHeader(HASH, hash).putHeader(LENGTH, length).putHeader(INVOCATION, invocation)
                .putHeader(AUTHORIZATION, signature.authorization(date, header, hash)).build();
        return HttpExecuteRequest.builder().request(made)
                .contentStreamProvider(() -> new ByteArrayInputStream(body)).build();
    }
}
