package software.amazon.kinesis.multilang.config;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says that the stream can't be read: at once, then ever more rarely, and when it can be again. Shared by all shards, of
 * which some may fail while others don't; see processor/retry.py.
 */
final class Outage {
    private static final long FIRST_INTERVAL_MILLIS = 5_000;
    private static final long LAST_INTERVAL_MILLIS = 300_000;
    private static final long OUTAGE_MILLIS = 5_000;
    private static final long QUIET_MILLIS = 60_000;
    private static final Logger LOG = LoggerFactory.getLogger(DynamoDBStreamsMultiLangDaemon.class);

    private long since;
    private long lastFailure;
    private long nextReport;
    private long interval;

    synchronized void failed(RuntimeException error) {
        long now = System.currentTimeMillis();
        if (now - lastFailure > QUIET_MILLIS) {
            nextReport = now;
            interval = FIRST_INTERVAL_MILLIS;
        }
        lastFailure = now;
        since = since == 0 ? now : since;
        if (now >= nextReport) {
            nextReport = now + interval;
            interval = Math.min(interval * 2, LAST_INTERVAL_MILLIS);
            LOG.warn("The source's stream can't be read, for {} s now: {}. Nothing is lost while its records last (24 "
                    + "hours); it is tried until it can be read.", (now - since) / 1_000, error.getMessage());
        }
    }

    synchronized void succeeded() {
        if (since == 0) {
            return;
        }
        long lasted = System.currentTimeMillis() - since;
        since = 0;
        if (lasted >= OUTAGE_MILLIS) {
            LOG.info("The source's stream can be read again, after {} s.", lasted / 1_000);
        }
    }
}
