package replicator.aws;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.List;
import java.util.function.UnaryOperator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import software.amazon.awssdk.auth.credentials.AwsCredentials;

/**
 * AWS's Signature Version 4 of one service's requests, with the headers that the SDK signs. The key of a day is kept;
 * {@code processor/aws/sigv4.py} is the same for Python.
 */
final class RequestSignature {
    static final String ALGORITHM = "AWS4-HMAC-SHA256";

    private static final String MAC = "HmacSHA256";
    private static final int DAY_DIGITS = 8;

    private final AwsCredentials keys;
    private final String region;
    private final String service;
    private final List<String> signed;
    private final String signedNames;
    private volatile DayKey kept;

    /** @param signed the names of the headers that are signed, in lower case and in their order */
    RequestSignature(AwsCredentials keys, String region, String service, List<String> signed) {
        this.keys = keys;
        this.region = region;
        this.service = service;
        this.signed = List.copyOf(signed);
        this.signedNames = String.join(";", signed);
    }

    /**
     * The header Authorization of a POST to "/" without a query.
     *
     * @param date the header X-Amz-Date
     * @param header a header's value by its name in lower case, as it stands in the canonical request
     * @param bodyHash of {@link #hash}
     */
    String authorization(String date, UnaryOperator<String> header, String bodyHash) {
        DayKey key = key(date.substring(0, DAY_DIGITS));
        StringBuilder canonical = new StringBuilder(1024).append("POST\n/\n\n");
        for (String name : signed) {
            canonical.append(name).append(':').append(header.apply(name)).append('\n');
        }
        canonical.append('\n').append(signedNames).append('\n').append(bodyHash);
        String text = ALGORITHM + '\n' + date + '\n' + key.scope + '\n' + hash(bytes(canonical.toString()));
        return ALGORITHM + " Credential=" + keys.accessKeyId() + '/' + key.scope + ", SignedHeaders=" + signedNames
                + ", Signature=" + hex(hmac(key.key, text));
    }

    private DayKey key(String day) {
        DayKey found = kept;
        if (found == null || !found.day.equals(day)) {
            byte[] key = bytes("AWS4" + keys.secretAccessKey());
            for (String part : List.of(day, region, service, "aws4_request")) {
                key = hmac(key, part);
            }
            found = new DayKey(day, day + '/' + region + '/' + service + "/aws4_request", key);
            kept = found;
        }
        return found;
    }

    private static final class DayKey {
        private final String day;
        private final String scope;
        private final byte[] key;

        DayKey(String day, String scope, byte[] key) {
            this.day = day;
            this.scope = scope;
            this.key = key;
        }
    }

    /** SHA-256 as hexadecimal digits. */
    static String hash(byte[] content) {
        try {
            return hex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance(MAC);
            mac.init(new SecretKeySpec(key, MAC));
            return mac.doFinal(bytes(text));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has " + MAC, e);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String hex(byte[] content) {
        char[] digits = new char[2 * content.length];
        for (int i = 0; i < content.length; i++) {
            digits[2 * i] = Character.forDigit(content[i] >> 4 & 0xF, 16);
            digits[2 * i + 1] = Character.forDigit(content[i] & 0xF, 16);
        }
        return new String(digits);
    }
}
