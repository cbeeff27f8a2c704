package replicator.aws;

import ch.qos.logback.classic.LoggerContext;
import java.nio.charset.StandardCharsets;
import replicator.Answered;
import replicator.log.Secrets;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.auth.StsAssumeRoleCredentialsProvider;

/** AssumeRole's answer: credentials that can be sent, or an exception of the SDK's, which is retried and said. */
public final class RolesTarget {
    private static final Answered HTTP = new Answered();
    private static final Secrets SECRETS = Secrets.of(new LoggerContext());
    private static final StsClient STS = StsClient.builder()
            .region(Region.US_EAST_1).credentialsProvider(Answered.KEYS).httpClient(HTTP)
            .overrideConfiguration(c -> c.retryStrategy(DefaultRetryStrategy.doNotRetry())).build();

    static {
        AnswerBounds.install();
    }

    private RolesTarget() {}

    /** Loads classes, which takes longer than an input may. */
    public static void fuzzerInitialize() {
        fuzzerTestOneInput("{}".getBytes(StandardCharsets.UTF_8));
    }

    public static void fuzzerTestOneInput(byte[] data) {
        HTTP.say(data);
        RenewedCredentials role = new RenewedCredentials(() -> StsAssumeRoleCredentialsProvider.builder().stsClient(STS)
                .refreshRequest(r -> r.roleArn("arn:aws:iam::123456789012:role/r").roleSessionName("s")).build(), SECRETS);
        AwsCredentials found;
        try {
            found = role.resolveCredentials();
        } catch (SdkException e) {
            return;
        }
        if (!(found.accessKeyId() + found.secretAccessKey()).matches("[!-~]+")) {
            throw new AssertionError("credentials that can't be sent");
        }
    }
}
