package replicator.start;

import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseRefresher;

/**
 * Finds out whether another daemon has our worker id: two with one id would steal each other's leases for ever.
 *
 * <p>{@code processor/startup/daemon.py} read the counters of our own leases when the command was given. Another daemon that
 * renews them has changed the counters one renewal later; a start that takes longer than that need not wait.
 */
public final class WorkerId {
    /** An answer may be that late. */
    private static final long SLACK_MILLIS = 300;

    private final String before;
    private final long readAtMillis;
    private final long renewalMillis;

    /** @param failoverMillis KCL's failoverTimeMillis, of which a third is between two renewals */
    public WorkerId(Properties properties, long failoverMillis) {
        before = properties.getProperty("ownLeaseCounters", "");
        readAtMillis = Long.parseLong(properties.getProperty("ownLeasesReadAtMillis", "0"));
        renewalMillis = failoverMillis / 3;
    }

    /** Waits until it can be known. */
    public boolean isInUse(String worker, LeaseRefresher leases) throws Exception {
        if (before.isEmpty()) {
            return leases.leaseTableExists() && !counters(worker, leases).isEmpty();
        }
        Thread.sleep(Math.max(0, readAtMillis + renewalMillis + SLACK_MILLIS - System.currentTimeMillis()));
        Map<String, String> then = Stream.of(before.split(",")).map(pair -> pair.split("="))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
        return counters(worker, leases).entrySet().stream()
                .anyMatch(lease -> !lease.getValue().equals(then.get(lease.getKey())));
    }

    private static Map<String, String> counters(String worker, LeaseRefresher leases) throws Exception {
        return leases.listLeases().stream()
                .filter(lease -> worker.equals(lease.leaseOwner()))
                .collect(Collectors.toMap(Lease::leaseKey, lease -> lease.leaseCounter().toString()));
    }
}
