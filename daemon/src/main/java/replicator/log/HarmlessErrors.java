package replicator.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import java.util.List;
import java.util.function.Predicate;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.helpers.MessageFormatter;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.kinesis.leases.exceptions.LeasingException;

/**
 * Lowers those ERROR lines of KCL and the adapter after which nobody has to do anything, each by its exact origin. ERROR in
 * the daemon's logs means that somebody must act.
 *
 * <p>It holds whatever logback file a user has. A line that is lowered to INFO keeps its words and its cause in one line,
 * for an event of our own has said what is to be said; one that is lowered to DEBUG says nothing that is true here.
 */
public final class HarmlessErrors extends TurboFilter {
    private static final List<Rule> RULES = List.of(
            // KCL's loop goes on while a graceful stop is under way, past the end of its parts.
            new Rule("software.amazon.kinesis.coordinator.Scheduler",
                    "Worker.run caught exception, sleeping for {} milli seconds!",
                    error -> error instanceof IllegalStateException
                            && "LeaderDecider uninitialized".equals(error.getMessage()), Level.DEBUG),
            // A shard that waits for its last owner's time to be over; KCL tries again.
            new Rule("software.amazon.kinesis.lifecycle.InitializeTask", "Application initialize() threw exception: ",
                    error -> error instanceof NotYetException, Level.DEBUG),
            // Kinesis's hash keys, which DynamoDB's shards do not have.
            new Rule("software.amazon.kinesis.coordinator.PeriodicShardSyncManager",
                    "Incomplete hash range found for stream {} between {} and {}.", error -> true, Level.DEBUG),
            new Rule("software.amazon.kinesis.coordinator.PeriodicShardSyncManager",
                    "Incomplete hash range found for {} between {} and {}.", error -> true, Level.DEBUG),
            new Rule("software.amazon.kinesis.coordinator.PeriodicShardSyncManager",
                    "No leases with valid hashranges found for stream {}", error -> true, Level.DEBUG),
            // A shard that is given up interrupts its own reading.
            new Rule("software.amazon.kinesis.retrieval.polling.PrefetchRecordsPublisher",
                    "{} :  Unexpected exception was thrown. This could probably be an issue or a bug."
                            + " Please search for the exception/error online to check what is going on. If the "
                            + "issue persists or is a recurring problem, feel free to open an issue on, "
                            + "https://github.com/awslabs/amazon-kinesis-client.",
                    error -> isOf(error, InterruptedException.class), Level.DEBUG),
            // stream_unreadable says so.
            new Rule("software.amazon.kinesis.retrieval.polling.PrefetchRecordsPublisher",
                    "{} :  Exception thrown while fetching records from Kinesis",
                    error -> isOf(error, SdkException.class), Level.INFO),
            // too_many_readers or stream_unreadable says so; the exception's name is one of Kinesis's.
            new Rule("software.amazon.kinesis.retrieval.polling.PrefetchRecordsPublisher",
                    "{} : ProvisionedThroughputExceededException thrown while fetching records from Kinesis",
                    error -> isOf(error, SdkException.class), Level.DEBUG),
            // A minute without a page, of a stream that can't be read, as stream_unreadable says (a read that hangs, too), or of a
            // daemon that was suspended. KCL goes on from the last batch that its child had.
            new Rule("software.amazon.kinesis.lifecycle.ShardConsumerSubscriber",
                    "{}: Last request was dispatched at {}, but no response as of {} ({}).  Cancelling subscription, and"
                            + " restarting. Last successful request details -- {}",
                    error -> error == null, Level.INFO),
            // stream_unreadable or checkpoints_unusable says so; the leases of new shards are looked after again and again.
            new Rule("software.amazon.kinesis.leases.ShardSyncTask",
                    "Caught exception while sync'ing Kinesis shards and leases", HarmlessErrors::isOutage, Level.INFO),
            new Rule("software.amazon.kinesis.leases.ShardSyncTaskManager",
                    "Caught exception running {} task: {}", HarmlessErrors::isOutage, Level.DEBUG),
            new Rule("software.amazon.kinesis.leases.ShardSyncTaskManager",
                    "Caught exception running {} task:", HarmlessErrors::isOutage, Level.DEBUG),
            // checkpoints_unusable says so.
            new Rule("software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseRenewer",
                    "Encountered an exception while renewing a lease.",
                    error -> isOf(error, LeasingException.class), Level.INFO),
            new Rule("software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseTaker",
                    "Worker {} could not scan leases table, aborting TAKE_LEASES_DIMENSION. Exception caught by last retry:",
                    error -> isOf(error, LeasingException.class), Level.INFO),
            new Rule("software.amazon.kinesis.leases.dynamodb.DynamoDBLeaseCoordinator",
                    "LeasingException encountered in lease taking thread",
                    error -> isOf(error, LeasingException.class), Level.INFO),
            new Rule("software.amazon.kinesis.lifecycle.InitializeTask", "Caught exception: ",
                    error -> isOf(error, LeasingException.class), Level.INFO));

    private static final class Rule {
        private final String logger;
        private final String format;
        private final Predicate<Throwable> error;
        private final Level level;

        /**
         * @param format the message before its parameters are put in
         * @param error whether the throwable, null where there is none, is the harmless one
         */
        Rule(String logger, String format, Predicate<Throwable> error, Level level) {
            this.logger = logger;
            this.format = format;
            this.error = error;
            this.level = level;
        }
    }

    public static void install() {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        HarmlessErrors filter = new HarmlessErrors();
        filter.setContext(context);
        filter.start();
        context.addTurboFilter(filter);
    }

    @Override
    public FilterReply decide(
            Marker marker, Logger logger, Level level, String format, Object[] parameters, Throwable given) {
        if (level != Level.ERROR || format == null) { // asked of every line, those too that are not written
            return FilterReply.NEUTRAL;
        }
        Throwable error = given == null ? last(parameters) : given;
        for (Rule rule : RULES) {
            if (rule.logger.equals(logger.getName()) && rule.format.equals(format) && rule.error.test(error)) {
                lower(rule.level, logger, format, parameters, error);
                return FilterReply.DENY;
            }
        }
        return FilterReply.NEUTRAL;
    }

    private static void lower(Level level, Logger logger, String format, Object[] parameters, Throwable error) {
        if (level == Level.DEBUG) {
            logger.debug("{}", MessageFormatter.arrayFormat(format, parameters).getMessage(), error);
        } else {
            String said = MessageFormatter.arrayFormat(format, parameters).getMessage();
            logger.info("{}", error == null ? said : said + " (" + root(error) + ")"); // a throwable would have its trace
        }
    }

    private static Throwable last(Object[] parameters) {
        Object last = parameters == null || parameters.length == 0 ? null : parameters[parameters.length - 1];
        return last instanceof Throwable ? (Throwable) last : null;
    }

    private static boolean isOf(Throwable error, Class<? extends Throwable> kind) {
        for (Throwable each = error; each != null; each = each.getCause()) {
            if (kind.isInstance(each)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isOutage(Throwable error) {
        return isOf(error, SdkException.class) || isOf(error, LeasingException.class);
    }

    private static Throwable root(Throwable error) {
        Throwable root = error;
        while (root != null && root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }
}
