package replicator.start;

import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import replicator.leases.Placements;
import replicator.log.Event;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.multilang.config.MultiLangDaemonConfiguration;

/**
 * The id under which a task takes leases. Finds out whether another daemon has it: two with one id would steal each other's
 * leases for ever.
 *
 * <p>{@code processor/startup/daemon.py} read the counters of our own leases when the command was given. Another daemon that
 * renews them has changed the counters one renewal later; a start that takes longer than that need not wait.
 */
public final class WorkerId {
    /** An answer may be that late. */
    private static final long SLACK_MILLIS = 300;

    private final MultiLangDaemonConfiguration configuration;
    private final Placements placements;
    private final String given;
    private final String before;
    private final long readAtMillis;
    private final long renewalMillis;

    /**
     * @param configuration has the id that the task was given, and gets the one that it goes by
     * @param placements in which a process's tasks have one id, also where that is replaced; null in a process of one task
     */
    public WorkerId(Properties properties, MultiLangDaemonConfiguration configuration, Placements placements) {
        this.configuration = configuration;
        this.placements = placements;
        given = configuration.getWorkerIdentifier();
        if (placements != null) {
            configuration.setWorkerId(placements.worker(given));
        }
        before = properties.getProperty("ownLeaseCounters", "");
        readAtMillis = Long.parseLong(properties.getProperty("ownLeasesReadAtMillis", "0"));
        renewalMillis = configuration.getFailoverTimeMillis() / 3;
    }

    /** Waits until it can be known. */
    public boolean isInUse(LeaseRefresher leases) throws Exception {
        String worker = configuration.getWorkerIdentifier();
        if (!worker.equals(given)) { // replaced by one that nobody else can have
            return false;
        }
        if (before.isEmpty()) {
            return leases.leaseTableExists() && !counters(worker, leases).isEmpty();
        }
        Thread.sleep(Math.max(0, readAtMillis + renewalMillis + SLACK_MILLIS - System.currentTimeMillis()));
        Map<String, String> then = Stream.of(before.split(",")).map(pair -> pair.split("="))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
        return counters(worker, leases).entrySet().stream()
                .anyMatch(lease -> !lease.getValue().equals(then.get(lease.getKey())));
    }

    /** Gives the task another id, for as long as the process lives. */
    public void replace() {
        String unique = placements == null ? given + "-" + UUID.randomUUID() : placements.anotherWorker(given);
        Event.warning("worker_id_in_use").with("worker", given).with("instead", unique)
                .note("This worker id is in use by another daemon (two machines of one host name?); this one has "
                        + "another for now. Set workerId to give it a lasting id of its own.");
        configuration.setWorkerId(unique);
    }

    private static Map<String, String> counters(String worker, LeaseRefresher leases) throws Exception {
        return leases.listLeases().stream()
                .filter(lease -> worker.equals(lease.leaseOwner()))
                .collect(Collectors.toMap(Lease::leaseKey, lease -> lease.leaseCounter().toString()));
    }
}
