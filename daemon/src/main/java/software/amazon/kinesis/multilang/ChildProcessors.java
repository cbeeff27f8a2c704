package software.amazon.kinesis.multilang;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.concurrent.ExecutorService;
import software.amazon.kinesis.multilang.config.MultiLangDaemonConfiguration;
import software.amazon.kinesis.processor.ShardRecordProcessor;

/**
 * KCL's processor of one shard, whose child is started in a way of our own, and whose failure is ours to act on.
 *
 * <p>Only KCL's own package can say how, and that is all this class is for.
 */
public final class ChildProcessors {
    /** How a child is started. */
    public interface Start {
        Process start() throws IOException;
    }

    private ChildProcessors() {}

    /**
     * @param start called once, when the shard begins
     * @param failed called where the child has ended, or can't be spoken to; KCL's own would end the process, so it must not
     *     return
     * @param threads read what the child says, and write to it
     */
    public static ShardRecordProcessor of(
            Start start, Runnable failed, ExecutorService threads, MultiLangDaemonConfiguration configuration) {
        return new MultiLangShardRecordProcessor(new ProcessBuilder(), threads, new ObjectMapper(), configuration) {
            @Override
            Process startProcess() throws IOException {
                return start.start();
            }

            @Override
            void exit() {
                failed.run();
            }
        };
    }
}
