package replicator;

import ch.qos.logback.classic.LoggerContext;
import java.nio.file.Path;
import java.util.Properties;
import org.slf4j.LoggerFactory;
import replicator.leases.FleetLeaseCoordinator;
import replicator.leases.Placements;
import replicator.log.Secrets;
import replicator.metrics.MetricsProcess;
import replicator.page.SharedReads;
import replicator.process.CaretakerProcess;
import replicator.process.Nursery;

/** What a process has once, for all of its tasks. */
final class Common {
    /** How long the process that children are forked from may take to end by itself, so that it is gone with this one. */
    private static final long NURSERY_GRACE_MILLIS = 3_000;

    /** How long the last figures may take to be told, once all else is done. */
    private static final long METRICS_GRACE_MILLIS = 2_000;

    /** How long the process that looks after tasks may take to end what it does. */
    private static final long CARETAKER_GRACE_MILLIS = 5_000;

    private final Secrets secrets = Secrets.of((LoggerContext) LoggerFactory.getILoggerFactory());
    private final Nursery nursery;
    private final MetricsProcess metrics;
    private final CaretakerProcess caretaker;
    private final SharedReads reads;
    private final Placements placements;

    /** @param properties the process's own */
    Common(Properties properties) {
        nursery = new Nursery(properties.getProperty("executableName"), properties.getProperty("nurseryExecutable"),
                Path.of(properties.getProperty("nurseryDirectory")));
        metrics = new MetricsProcess(properties.getProperty("metricsExecutable"));
        caretaker = new CaretakerProcess(properties.getProperty("caretakerExecutable"));
        boolean hasManyTasks = properties.containsKey("keeperExecutable");
        if (hasManyTasks) {
            FleetLeaseCoordinator.load();
        }
        reads = hasManyTasks ? new SharedReads() : null;
        placements = hasManyTasks ? new Placements() : null;
    }

    /** Whether tasks come and go while the process lives. */
    boolean hasManyTasks() {
        return placements != null;
    }

    /** Told all that must not be logged. */
    Secrets secrets() {
        return secrets;
    }

    Nursery nursery() {
        return nursery;
    }

    MetricsProcess metrics() {
        return metrics;
    }

    CaretakerProcess caretaker() {
        return caretaker;
    }

    /** Of tasks that read one stream; null in a process of one task, which reads as if there were no others. */
    SharedReads reads() {
        return reads;
    }

    /** Which leases tasks take; null in a process of one task, where KCL decides that. */
    Placements placements() {
        return placements;
    }

    /** The end is near: what is done for the tasks beside their replication ends now. Returns at once. */
    void ending() {
        caretaker.close();
    }

    void close() {
        caretaker.await(CARETAKER_GRACE_MILLIS);
        nursery.close(NURSERY_GRACE_MILLIS);
        metrics.close(METRICS_GRACE_MILLIS);
    }
}
