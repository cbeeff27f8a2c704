package replicator.stream;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.regions.Region;

/**
 * The name under which the adapter knows a stream; every request carries the true ARN. It takes an ARN only with a region
 * that this SDK knows and an account of twelve digits, and emulators have words of their own for both.
 */
public final class AdapterArn {
    private static final Pattern ACCOUNT = Pattern.compile(":(\\d{12}):");
    private static final String NO_ACCOUNT = "000000000000";

    private AdapterArn() {}

    /**
     * @param trueArn the stream's own
     * @param region as the settings name it
     */
    public static String of(String trueArn, String region, String table) {
        String known = Region.regions().contains(Region.of(region)) ? region : Region.US_EAST_1.id();
        Matcher account = ACCOUNT.matcher(trueArn);
        return String.format("arn:aws:dynamodb:%s:%s:table/%s/stream/%s",
                known, account.find() ? account.group(1) : NO_ACCOUNT, table,
                trueArn.substring(trueArn.lastIndexOf('/') + 1));
    }
}
