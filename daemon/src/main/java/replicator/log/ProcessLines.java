package replicator.log;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the lines that a child process writes, and hands each on as it comes. */
public final class ProcessLines {
    private static final Logger CHILDREN = LoggerFactory.getLogger("software.amazon.kinesis.multilang.DrainChildSTDERRTask");

    private ProcessLines() {}

    /** Puts a line where the lines of shards' children go. */
    public static void log(String line) {
        CHILDREN.info("{} {}", line, ""); // LogLines takes a line and its shard, and it has none
    }

    /** Reads until the end of the process, or of its pipe. */
    public static void read(InputStream from, Consumer<String> each) throws IOException {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(from, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                each.accept(line);
            }
        }
    }
}
