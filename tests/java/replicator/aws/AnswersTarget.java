package replicator.aws;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import org.apache.http.NoHttpResponseException;
import org.apache.http.conn.ConnectionPoolTimeoutException;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpConfigurationOption;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.utils.AttributeMap;

/** What a server says on a connection, which then ends: an answer within its bounds, or an IOException. */
public final class AnswersTarget {
    private static final byte[] BODY = "{}".getBytes(StandardCharsets.US_ASCII);
    private static final Client CLIENT = new Client(2);

    private AnswersTarget() {}

    /** Loads classes, which takes longer than an input may. */
    public static void fuzzerInitialize() {
        fuzzerTestOneInput("{}".getBytes(StandardCharsets.UTF_8));
    }

    public static void fuzzerTestOneInput(byte[] data) {
        try {
            check(CLIENT.ask(data).length <= data.length);
        } catch (IOException e) {
            check(!(e instanceof ConnectionPoolTimeoutException)); // an earlier answer has kept its connection
        }
    }

    /** The daemon's client, beside a server that answers as it is told. */
    static final class Client implements AutoCloseable {
        private final Server server = new Server();
        private final SdkHttpClient http;

        /** @param connections how many there may be at once */
        Client(int connections) {
            http = ProxiedHttpService.sync().maxConnections(connections).socketTimeout(Duration.ofSeconds(5))
                    .buildWithDefaults(AttributeMap.builder()
                            .put(SdkHttpConfigurationOption.CONNECTION_ACQUIRE_TIMEOUT, Duration.ofSeconds(2)).build());
        }

        /** The body of what the server says. */
        byte[] ask(byte[] said) throws IOException {
            server.said = said;
            try {
                return ask();
            } catch (NoHttpResponseException e) { // a connection that was kept, and has ended
                return ask();
            }
        }

        private byte[] ask() throws IOException {
            SdkHttpRequest request = SdkHttpRequest.builder().method(SdkHttpMethod.POST)
                    .protocol("http").host("127.0.0.1").port(server.port()).encodedPath("/")
                    .putHeader("X-Amz-Target", "DynamoDB_20120810.GetItem").putHeader("Host", "127.0.0.1")
                    .putHeader("Content-Length", String.valueOf(BODY.length)).build();
            HttpExecuteResponse answer = http.prepareRequest(HttpExecuteRequest.builder().request(request)
                    .contentStreamProvider(() -> new ByteArrayInputStream(BODY)).build()).call();
            check(answer.httpResponse().statusCode() >= 200);
            check(answer.httpResponse().matchingHeaders("Content-Length").size() <= 1);
            if (answer.responseBody().isEmpty()) {
                return new byte[0];
            }
            try (InputStream body = answer.responseBody().get()) {
                return body.readAllBytes();
            }
        }

        @Override
        public void close() throws IOException {
            http.close();
            server.socket.close();
        }
    }

    private static void check(boolean holds) {
        if (!holds) {
            throw new AssertionError("what was read is none of what may be answered");
        }
    }

    /** Says the same to whoever asks, and hangs up. */
    private static final class Server {
        private final ServerSocket socket;
        private volatile byte[] said = {};

        Server() {
            try {
                socket = new ServerSocket(0, 8, InetAddress.getByName("127.0.0.1"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            Thread thread = new Thread(this::serve, "server");
            thread.setDaemon(true);
            thread.start();
        }

        int port() {
            return socket.getLocalPort();
        }

        private void serve() {
            while (!socket.isClosed()) {
                try (Socket each = socket.accept()) {
                    each.setSoTimeout(5_000);
                    read(each.getInputStream());
                    each.getOutputStream().write(said);
                } catch (IOException e) { // the client has hung up
                    continue;
                }
            }
        }

        /** The request, whose body is the two bytes after its head. */
        private static void read(InputStream request) throws IOException {
            byte[] end = "\r\n\r\n{}".getBytes(StandardCharsets.US_ASCII);
            byte[] last = new byte[end.length];
            while (!Arrays.equals(last, end)) {
                int next = request.read();
                if (next < 0) {
                    throw new IOException("no request");
                }
                System.arraycopy(last, 1, last, 0, last.length - 1);
                last[last.length - 1] = (byte) next;
            }
        }
    }
}
