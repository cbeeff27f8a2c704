package replicator.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

/** A client whose connections are few, and answers that are refused by their heads. */
class BoundedHttpClientTest {
    /** As docs/threat-model.md has it. */
    private static final int MOST_INTERIM = 8;

    private static String text(String more) {
        return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + more + "\r\n{}";
    }

    private static byte[] answer(String more) {
        return text(more).getBytes(StandardCharsets.US_ASCII);
    }

    @Test
    void aRefusedAnswerKeepsNoConnection() throws IOException {
        try (AnswersTarget.Client client = new AnswersTarget.Client(1)) {
            for (int i = 0; i < 3; i++) {
                assertThrows(IOException.class, () -> client.ask(answer("Content-Length: 3\r\n")));
                assertThrows(IOException.class, () -> client.ask(answer("Content-Encoding: gzip\r\n")));
            }
            assertEquals("{}", new String(client.ask(answer("")), StandardCharsets.US_ASCII));
        }
    }

    /** As JSON of a few KB may become gigabytes, and whoever makes it small again forgets that it was. */
    @Test
    void aCompressedAnswerIsRefusedHoweverSmall() throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        try (GZIPOutputStream compressed = new GZIPOutputStream(body)) {
            compressed.write("{}".getBytes(StandardCharsets.US_ASCII));
        }
        byte[] head = ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " + body.size() + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
        byte[] said = ByteBuffer.allocate(head.length + body.size()).put(head).put(body.toByteArray()).array();
        try (AnswersTarget.Client client = new AnswersTarget.Client(1)) {
            assertThrows(IOException.class, () -> client.ask(said));
        }
    }

    @Test
    void afterAFewInterimAnswersNoneIsWaitedFor() throws IOException {
        String interim = "HTTP/1.1 100 Continue\r\n\r\n";
        try (AnswersTarget.Client client = new AnswersTarget.Client(1)) {
            byte[] few = (interim.repeat(MOST_INTERIM) + text("")).getBytes(StandardCharsets.US_ASCII);
            assertEquals("{}", new String(client.ask(few), StandardCharsets.US_ASCII));
            byte[] more = (interim.repeat(MOST_INTERIM + 1) + text("")).getBytes(StandardCharsets.US_ASCII);
            assertThrows(IOException.class, () -> client.ask(more));
        }
    }

    @Test
    void whatApacheIsSurprisedByIsNoAnswer() throws IOException {
        try (AnswersTarget.Client client = new AnswersTarget.Client(1)) {
            byte[] said = "HTTP/-2.0 100\r\n".getBytes(StandardCharsets.US_ASCII);
            assertThrows(IOException.class, () -> client.ask(said));
            assertEquals("{}", new String(client.ask(answer("")), StandardCharsets.US_ASCII));
        }
    }
}
