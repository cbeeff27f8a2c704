package replicator.aws;

import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import replicator.log.Secrets;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.utils.SdkAutoCloseable;

/**
 * Looks credentials up anew when AWS refuses them as expired or unknown; the SDK keeps those that it found first, even if
 * their file was rewritten since. One object is both a client's credentials provider and the interceptor that sees the
 * client's refusals. {@code processor/aws/credentials.py} does the same for Python.
 *
 * <p>The earlier credentials are kept until others are found: one wrong answer, or a file that is just being written, must not
 * leave a client without credentials that are still valid.
 */
final class RenewedCredentials implements AwsCredentialsProvider, ExecutionInterceptor {
    /** As processor/flow/retry.py has them: a rotation's. */
    private static final Set<String> STALE = Set.of("ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId",
            "InvalidClientTokenId", "InvalidSignatureException", "InvalidToken", "RequestExpired", "SignatureDoesNotMatch",
            "UnrecognizedClientException");

    /** A look may be a call of STS, and all calls are refused at once; leases hold for 5 s. */
    private static final long RENEWAL_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Supplier<AwsCredentialsProvider> lookUp;
    private final Secrets secrets;
    private final AtomicBoolean looking = new AtomicBoolean();
    private volatile AwsCredentialsProvider found;
    private volatile AwsCredentials seen;
    private AwsCredentialsProvider previous;
    private long lookedAt = System.nanoTime() - RENEWAL_NANOS;

    /**
     * @param lookUp makes a provider that has found nothing yet, at each call another one
     * @param secrets told of all that is found
     */
    RenewedCredentials(Supplier<AwsCredentialsProvider> lookUp, Secrets secrets) {
        this.lookUp = lookUp;
        this.secrets = secrets;
        this.found = lookUp.get();
    }

    @Override
    public AwsCredentials resolveCredentials() {
        return resolved(found);
    }

    /** The SDK takes for granted that an answer is whole, and fails by whatever comes of one that isn't. */
    private AwsCredentials resolved(AwsCredentialsProvider provider) {
        try {
            return usable(provider.resolveCredentials());
        } catch (SdkException e) {
            throw e;
        } catch (RuntimeException e) {
            throw SdkClientException.create(
                    "What was answered are no credentials (" + e.getClass().getSimpleName() + "); they are asked for again", e);
        }
    }

    /** After the last try of a call. */
    @Override
    public void onExecutionFailure(Context.FailedExecution context, ExecutionAttributes attributes) {
        Throwable failure = context.exception();
        while (failure instanceof CompletionException && failure.getCause() != null) {
            failure = failure.getCause();
        }
        if (isStale(failure) && looking.compareAndSet(false, true)) {
            renewing(); // not here: it may be the thread that all of a client's answers need
        }
    }

    static boolean isStale(Throwable failure) {
        // An endpoint that is not AWS may name no code, which the set refuses to be asked for.
        AwsErrorDetails details =
                failure instanceof AwsServiceException ? ((AwsServiceException) failure).awsErrorDetails() : null;
        return details != null && details.errorCode() != null && STALE.contains(details.errorCode());
    }

    /** On a thread of its own: a look-up may take long, and Java's common pool is all tasks'. */
    private void renewing() {
        Thread thread = new Thread(this::renew, "credentials");
        thread.setDaemon(true);
        thread.start();
    }

    private void renew() {
        try {
            if (System.nanoTime() - lookedAt < RENEWAL_NANOS) {
                return;
            }
            lookedAt = System.nanoTime();
            AwsCredentialsProvider other = lookUp.get();
            if (same(resolved(other), current())) {
                close(other);
                return;
            }
            close(previous); // not the last one, which calls under way may be using
            previous = found;
            found = other;
        } catch (RuntimeException e) {
            // The refusal itself says more, and the next one looks again.
        } finally {
            looking.set(false);
        }
    }

    private AwsCredentials current() {
        try {
            return resolveCredentials();
        } catch (RuntimeException e) {
            return null;
        }
    }

    private static boolean same(AwsCredentials one, AwsCredentials other) {
        return other != null && one.accessKeyId().equals(other.accessKeyId())
                && one.secretAccessKey().equals(other.secretAccessKey()) && Objects.equals(token(one), token(other));
    }

    private static void close(AwsCredentialsProvider provider) {
        if (provider instanceof SdkAutoCloseable) {
            ((SdkAutoCloseable) provider).close();
        }
    }

    private static String token(AwsCredentials keys) {
        return keys instanceof AwsSessionCredentials ? ((AwsSessionCredentials) keys).sessionToken() : null;
    }

    /** Without white space around them, as a file or a Kubernetes Secret may have it; refused by name where that isn't all. */
    private AwsCredentials usable(AwsCredentials keys) {
        if (keys == seen) {
            return keys;
        }
        String token = token(keys);
        secrets.remember(keys.secretAccessKey(), token);
        String access = stripped("access key", keys.accessKeyId());
        String secret = stripped("secret key", keys.secretAccessKey());
        String session = token == null ? null : stripped("session token", token);
        if (access.equals(keys.accessKeyId()) && secret.equals(keys.secretAccessKey()) && Objects.equals(session, token)) {
            seen = keys;
            return keys;
        }
        return session == null ? AwsBasicCredentials.create(access, secret)
                : AwsSessionCredentials.create(access, secret, session);
    }

    private static String stripped(String name, String value) {
        String stripped = value.strip();
        for (int i = 0; i < stripped.length(); i++) {
            if (stripped.charAt(i) <= ' ' || stripped.charAt(i) >= 0x7F) {
                throw SdkClientException.create("The " + name + " that was found has a character that none can have, at position "
                        + (i + 1) + " of " + stripped.length() + ". Put it right where it comes from.");
            }
        }
        return stripped;
    }
}
