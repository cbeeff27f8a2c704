package replicator.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** A client whose connections are few, and answers that are refused by their heads. */
class BoundedHttpClientTest {
    private static byte[] answer(String more) {
        return ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + more + "\r\n{}").getBytes(StandardCharsets.US_ASCII);
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

    @Test
    void whatApacheIsSurprisedByIsNoAnswer() throws IOException {
        try (AnswersTarget.Client client = new AnswersTarget.Client(1)) {
            byte[] said = "HTTP/-2.0 100\r\n".getBytes(StandardCharsets.US_ASCII);
            assertThrows(IOException.class, () -> client.ask(said));
            assertEquals("{}", new String(client.ask(answer("")), StandardCharsets.US_ASCII));
        }
    }
}
