package replicator;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A short run of what {@code ./test.sh fuzz} does for as long as it is told: seeds, and the same changes of them each time. */
class TargetsTest {
    /** Has a folder of seeds for each target, and targets.properties, which names their classes. */
    private static final Path SEEDS = Path.of(System.getProperty("seeds"));

    private static final int INPUTS = 200;
    private static final Duration MOST = Duration.ofSeconds(120);

    /** What parsers stumble over. */
    private static final List<byte[]> PIECES = Stream.of("{", "}", "[", "]", "\"", ":", "null", "true", "-1", "0", "1e999", "\n",
                    "\\u", "\\ud800", "\u2028", "\u001b", "9".repeat(3_000), "[".repeat(3_000), "{\"a\":".repeat(3_000),
                    "Content-Length: 7\r\n", "HTTP/1.1 100 Continue\r\n\r\n")
            .map(piece -> piece.getBytes(StandardCharsets.UTF_8)).collect(Collectors.toList());

    static Stream<String> targets() throws IOException {
        Properties named = new Properties();
        named.load(Files.newBufferedReader(SEEDS.resolve("targets.properties")));
        return named.entrySet().stream().map(each -> each.getKey() + " " + each.getValue()).sorted();
    }

    @ParameterizedTest
    @MethodSource("targets")
    void nothingButItsOwnErrors(String named) throws Exception {
        String[] parts = named.split(" ");
        Method target = Class.forName(parts[1]).getMethod("fuzzerTestOneInput", byte[].class);
        List<byte[]> seeds;
        try (Stream<Path> files = Files.list(SEEDS.resolve(parts[0])).sorted()) {
            seeds = files.map(TargetsTest::read).collect(Collectors.toList());
        }
        assertFalse(seeds.isEmpty());
        assertTimeoutPreemptively(MOST, () -> {
            for (byte[] seed : seeds) {
                run(target, seed);
            }
            Random random = new Random(1);
            for (int i = 0; i < INPUTS; i++) {
                run(target, changed(seeds.get(random.nextInt(seeds.size())), random));
            }
        });
    }

    private static void run(Method target, byte[] data) throws Exception {
        try {
            target.invoke(null, data);
        } catch (InvocationTargetException e) {
            throw new AssertionError("by the input " + new String(data, StandardCharsets.ISO_8859_1), e.getCause());
        }
    }

    /** With up to four cuts, copies or pieces in it. */
    private static byte[] changed(byte[] seed, Random random) {
        byte[] data = seed;
        for (int i = random.nextInt(4); i >= 0; i--) {
            int begin = random.nextInt(data.length + 1);
            int end = begin + random.nextInt(Math.min(40, data.length - begin) + 1);
            byte[] piece = random.nextBoolean() ? PIECES.get(random.nextInt(PIECES.size()))
                    : Arrays.copyOfRange(data, random.nextInt(begin + 1), end);
            byte[] made = Arrays.copyOf(data, begin + piece.length + data.length - end);
            System.arraycopy(piece, 0, made, begin, piece.length);
            System.arraycopy(data, end, made, begin + piece.length, data.length - end);
            data = made;
        }
        return data;
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
