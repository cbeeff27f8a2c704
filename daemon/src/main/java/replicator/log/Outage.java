package replicator.log;

import java.util.function.UnaryOperator;
import software.amazon.awssdk.awscore.exception.AwsServiceException;

/**
 * Reports that calls fail which are made again: at once, then ever more rarely, and when they work again. All shards share
 * one, and some may fail while others don't. {@code processor/flow/outage.py} does the same for Python.
 */
public final class Outage {
    private static final long FIRST_INTERVAL_MILLIS = 5_000;
    private static final long LAST_INTERVAL_MILLIS = 300_000;
    private static final long OUTAGE_MILLIS = 5_000;
    private static final long QUIET_MILLIS = 60_000;

    /** Of what an endpoint says, which may be 256 KB. */
    private static final int MOST_CHARACTERS = 1_500;

    private final String event;
    private final String what;
    private final String note;
    private final String over;
    private long since;
    private long lastSuccess;
    private boolean isSaid;
    private long lastFailure;
    private long nextReport;
    private long interval;

    /**
     * @param event its name; that of its end is the same and "_over"
     * @param what the failure, as "The source's stream can't be read"
     * @param note what becomes of it, for the operator
     * @param over the end of it, as "The source's stream can be read again"
     */
    public Outage(String event, String what, String note, String over) {
        this.event = event;
        this.what = what;
        this.note = note;
        this.over = over;
    }

    public void failed(Exception error) {
        failed(error, System.currentTimeMillis());
    }

    /** @param begunMillis when the call that failed was begun: one that hangs or drips fails late */
    public void failed(Exception error, long begunMillis) {
        failed(error, begunMillis, event -> event, "");
    }

    /** What may be no failure where it comes once: said only where nothing has worked since, for some seconds. */
    public synchronized void suspected(Exception error) {
        long now = System.currentTimeMillis();
        since = since == 0 ? now : since;
        if (now - since >= OUTAGE_MILLIS) {
            failed(error, now);
        }
    }

    /**
     * @param more adds fields to the event, where one is written
     * @param remedy what a person may do about it; empty where that hangs on the error's code alone
     */
    public synchronized void failed(Exception error, long begunMillis, UnaryOperator<Event> more, String remedy) {
        long now = System.currentTimeMillis();
        if (now - lastFailure > QUIET_MILLIS) {
            nextReport = now;
            interval = FIRST_INTERVAL_MILLIS;
        }
        lastFailure = now;
        since = since == 0 ? Math.max(begunMillis, lastSuccess) : since;
        boolean isNews = !isSaid && now - since >= OUTAGE_MILLIS;
        if (now >= nextReport || isNews) {
            isSaid = true;
            nextReport = now + interval;
            interval = Math.min(interval * 2, LAST_INTERVAL_MILLIS);
            more.apply(Event.warning(event).with("seconds", (now - since) / 1_000)
                            .with("error", code(error)).with("reason", cut(error.getMessage())))
                    .note((what + ". " + note + " " + (remedy.isEmpty() ? remedy(error) : remedy)).strip());
        }
    }

    /** Up to a blank: half of a secret would not be known as one. */
    public static String cut(String text) {
        return text == null || text.length() <= MOST_CHARACTERS
                ? text : text.substring(0, Math.max(0, text.lastIndexOf(' ', MOST_CHARACTERS))) + " ...";
    }

    /** AWS's error code, or else the kind of exception. */
    public static String code(Throwable error) {
        for (Throwable each = error; each != null; each = each.getCause()) {
            if (each instanceof AwsServiceException && ((AwsServiceException) each).awsErrorDetails() != null
                    && ((AwsServiceException) each).awsErrorDetails().errorCode() != null) {
                return ((AwsServiceException) each).awsErrorDetails().errorCode();
            }
        }
        return error.getClass().getSimpleName();
    }

    private static String remedy(Throwable error) {
        switch (code(error)) {
            case "UnknownOperation":
            case "UnknownOperationException": // a store that serves tables and their streams at two places
                return "What answers knows no such call: name the stream's endpoint in sourceStreamsEndpoint.";
            case "AccessDeniedException":
                return "Allow that call: the command policy prints all that is needed.";
            case "ExpiredTokenException":
            case "UnrecognizedClientException":
                return "Renew the credentials where this daemon takes them from; those of environment variables need a restart.";
            default:
                return "";
        }
    }

    public synchronized void succeeded() {
        lastSuccess = System.currentTimeMillis();
        if (since == 0) {
            return;
        }
        long lasted = lastSuccess - since;
        boolean wasSaid = isSaid;
        since = 0;
        isSaid = false;
        if (wasSaid && lasted >= OUTAGE_MILLIS) {
            Event.notice(event + "_over").with("seconds", lasted / 1_000).note(over + ".");
        }
    }
}
