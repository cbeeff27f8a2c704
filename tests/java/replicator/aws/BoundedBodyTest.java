package replicator.aws;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** An answer's body of so many bytes at most, of which nobody reads more than that, at its end either. */
class BoundedBodyTest {
    private static final ScheduledExecutorService TIMER = AnswerDeadline.timer();
    private boolean isAborted;
    private long given;

    @AfterAll
    static void end() {
        TIMER.shutdown();
    }

    /** A body of so many bytes, of which every read gives as many as are asked for. */
    private InputStream body(long length, int most) {
        InputStream endless = new InputStream() {
            @Override
            public int read() {
                if (given == length) {
                    return -1;
                }
                given++;
                return 0;
            }

            @Override
            public int read(byte[] into, int offset, int wanted) {
                int got = (int) Math.min(wanted, length - given);
                given += got;
                return wanted > 0 && got == 0 ? -1 : got;
            }
        };
        return BoundedBody.of(endless, most, AnswerDeadline.begin(TIMER, () -> isAborted = true));
    }

    @Test
    void asMuchAsItMayHaveIsRead() throws IOException {
        try (InputStream body = body(1_000, 1_000)) {
            assertEquals(1_000, body.readAllBytes().length);
        }
        assertFalse(isAborted); // the connection is used again
    }

    @Test
    void oneByteMoreIsRefused() {
        assertThrows(IOException.class, () -> body(1_001, 1_000).readAllBytes());
        assertTrue(isAborted);
    }

    @Test
    void singleBytesAndWhatIsSkippedCount() throws IOException {
        InputStream body = body(3, 2);
        assertEquals(0, body.read());
        assertEquals(1, body.skip(1));
        assertThrows(IOException.class, body::read);
        assertTrue(isAborted);
    }

    /** HttpClient's own would, however much it is. */
    @Test
    void whoClosesItReadsLittleOfTheRest() throws IOException {
        InputStream body = body(100_000_000, 200_000_000);
        assertArrayEquals(new byte[10], body.readNBytes(10));
        body.close();
        assertTrue(given < 100_000, given + " bytes were read");
        assertTrue(isAborted);
    }

    @Test
    void aShortRestIsReadSoThatTheConnectionIsKept() throws IOException {
        InputStream body = body(12, 100);
        body.readNBytes(10);
        body.close();
        assertEquals(12, given);
        assertFalse(isAborted);
    }
}
