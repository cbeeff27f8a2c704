package replicator.aws;

import java.net.URI;
import java.time.Duration;
import java.util.Properties;
import java.util.function.Supplier;
import replicator.log.Secrets;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.StsClientBuilder;
import software.amazon.awssdk.services.sts.auth.StsAssumeRoleCredentialsProvider;
import software.amazon.awssdk.services.sts.model.AssumeRoleRequest;

/**
 * Makes the credentials of one side, by the properties that {@code processor/startup/daemon.py} writes: those of a profile, those
 * that KCL would use, or those of a role that one of these assumes.
 */
final class Identity {
    /** What botocore waits for, too: an STS that is away for less than this is not noticed. */
    private static final Duration RENEWED_BEFORE_END = Duration.ofMinutes(15);

    private static final Duration ROLE_CALL_TIMEOUT = Duration.ofSeconds(10);

    private Identity() {}

    /**
     * @param side what its properties' names begin with: source or kcl
     * @param own makes the provider that KCL would use, at each call another one
     * @param secrets told of all credentials that are found
     */
    static RenewedCredentials of(
            Properties properties, String side, Supplier<AwsCredentialsProvider> own, Secrets secrets) {
        String profile = properties.getProperty(side + "Profile");
        RenewedCredentials asking = new RenewedCredentials(
                profile == null ? own : () -> ProfileCredentialsProvider.create(profile), secrets);
        String role = properties.getProperty(side + "RoleArn");
        return role == null ? asking : assumed(role, properties, side, asking, secrets);
    }

    private static RenewedCredentials assumed(
            String role, Properties properties, String side, RenewedCredentials asking, Secrets secrets) {
        AssumeRoleRequest request = AssumeRoleRequest.builder()
                .roleArn(role)
                .roleSessionName(properties.getProperty(side + "RoleSessionName"))
                .externalId(properties.getProperty(side + "RoleExternalId"))
                .build();
        StsClientBuilder builder = StsClient.builder()
                .region(Region.of(properties.getProperty(side + "RoleRegion")))
                .credentialsProvider(asking)
                .httpClientBuilder(ProxiedHttpService.sync())
                .overrideConfiguration(c -> c.apiCallTimeout(ROLE_CALL_TIMEOUT).addExecutionInterceptor(asking));
        String endpoint = properties.getProperty(side + "RoleEndpoint");
        StsClient sts = endpoint == null ? builder.build() : builder.endpointOverride(URI.create(endpoint)).build();
        return new RenewedCredentials(() -> StsAssumeRoleCredentialsProvider.builder()
                .stsClient(sts)
                .refreshRequest(request)
                .prefetchTime(RENEWED_BEFORE_END)
                .asyncCredentialUpdateEnabled(true) // else a read, or a lease's renewal, would wait for STS
                .build(), secrets);
    }
}
