package replicator.aws;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.apache.http.Header;
import org.apache.http.HttpResponse;
import org.apache.http.client.methods.HttpRequestBase;
import org.apache.http.config.ConnectionConfig;
import org.apache.http.config.MessageConstraints;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.config.SocketConfig;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClientBuilder;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpConfigurationOption;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.http.SystemPropertyTlsKeyManagersProvider;
import software.amazon.awssdk.http.apache.ProxyConfiguration;
import software.amazon.awssdk.http.apache.internal.ApacheHttpRequestConfig;
import software.amazon.awssdk.http.apache.internal.conn.IdleConnectionReaper;
import software.amazon.awssdk.http.apache.internal.conn.SdkConnectionKeepAliveStrategy;
import software.amazon.awssdk.http.apache.internal.conn.SdkTlsSocketFactory;
import software.amazon.awssdk.http.apache.internal.impl.ApacheHttpRequestFactory;
import software.amazon.awssdk.utils.AttributeMap;

/**
 * Apache's HTTP client, for the SDK, whose answers are bounded by {@link AnswerBounds}.
 *
 * <p>The SDK's own is the same client. But it reads a head of any length, any number of interim answers, and a body for as
 * long as it comes, and has no place where that can be changed.
 */
final class BoundedHttpClient implements SdkHttpClient {
    private static final ApacheHttpRequestFactory REQUESTS = new ApacheHttpRequestFactory();

    private final CloseableHttpClient client;
    private final PoolingHttpClientConnectionManager connections;
    private final ApacheHttpRequestConfig timeouts;
    private final ScheduledExecutorService deadlines = AnswerDeadline.timer();

    private BoundedHttpClient(HttpClientBuilder builder, AttributeMap options) {
        long idleMillis = options.get(SdkHttpConfigurationOption.CONNECTION_MAX_IDLE_TIMEOUT).toMillis();
        connections = connections(options);
        client = builder.setConnectionManager(connections)
                .setRequestExecutor(new FewInterimAnswers())
                .setKeepAliveStrategy(new SdkConnectionKeepAliveStrategy(idleMillis))
                .disableContentCompression().disableRedirectHandling().disableAutomaticRetries().disableCookieManagement()
                .setUserAgent("") // the SDK has its own
                .build();
        IdleConnectionReaper.getInstance().registerConnectionManager(connections, idleMillis);
        timeouts = ApacheHttpRequestConfig.builder()
                .socketTimeout(options.get(SdkHttpConfigurationOption.READ_TIMEOUT))
                .connectionTimeout(options.get(SdkHttpConfigurationOption.CONNECTION_TIMEOUT))
                .connectionAcquireTimeout(options.get(SdkHttpConfigurationOption.CONNECTION_ACQUIRE_TIMEOUT))
                .proxyConfiguration(ProxyConfiguration.builder()
                        .useSystemPropertyValues(false).useEnvironmentVariableValues(false).build())
                .build();
    }

    private static PoolingHttpClientConnectionManager connections(AttributeMap options) {
        PoolingHttpClientConnectionManager made = new PoolingHttpClientConnectionManager(
                RegistryBuilder.<ConnectionSocketFactory>create()
                        .register("http", PlainConnectionSocketFactory.getSocketFactory())
                        .register("https", new SdkTlsSocketFactory(tls(), SSLConnectionSocketFactory.getDefaultHostnameVerifier()))
                        .build(),
                null, null, null,
                options.get(SdkHttpConfigurationOption.CONNECTION_TIME_TO_LIVE).toMillis(), TimeUnit.MILLISECONDS);
        int most = options.get(SdkHttpConfigurationOption.MAX_CONNECTIONS);
        made.setDefaultMaxPerRoute(most);
        made.setMaxTotal(most);
        made.setDefaultSocketConfig(SocketConfig.custom()
                .setSoTimeout((int) options.get(SdkHttpConfigurationOption.READ_TIMEOUT).toMillis())
                .setTcpNoDelay(true).build());
        made.setDefaultConnectionConfig(ConnectionConfig.custom()
                .setMessageConstraints(MessageConstraints.custom()
                        .setMaxLineLength(AnswerBounds.HEAD_LINE_BYTES).setMaxHeaderCount(AnswerBounds.HEAD_LINES).build())
                .build());
        return made;
    }

    /** As the SDK makes it: the JVM's own trust, and a key where {@code javax.net.ssl.keyStore} names one. */
    private static SSLContext tls() {
        try {
            SSLContext made = SSLContext.getInstance("TLS");
            made.init(SystemPropertyTlsKeyManagersProvider.create().keyManagers(), null, null);
            return made;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("TLS can't be used", e);
        }
    }

    @Override
    public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
        HttpRequestBase made = REQUESTS.create(request, timeouts);
        return new ExecutableHttpRequest() {
            @Override
            public HttpExecuteResponse call() throws IOException {
                return answered(request.httpRequest(), made);
            }

            @Override
            public void abort() {
                made.abort();
            }
        };
    }

    private HttpExecuteResponse answered(SdkHttpRequest request, HttpRequestBase made) throws IOException {
        AnswerDeadline deadline = AnswerDeadline.begin(deadlines, made::abort);
        boolean isKept = false;
        try {
            HttpResponse answer = client.execute(made);
            SdkHttpResponse head = head(answer);
            int most = AnswerBounds.bodyBytes(request, head);
            HttpExecuteResponse.Builder whole = HttpExecuteResponse.builder().response(head);
            if (answer.getEntity() != null) {
                whole.responseBody(BoundedBody.of(answer.getEntity().getContent(), most, deadline));
                isKept = true; // the body ends it
            }
            return whole.build();
        } catch (IOException | RuntimeException e) { // as Apache's, of a status line with a negative version
            made.abort(); // what was answered is not read: its connection would be out of the pool for good
            throw deadline.explained(e instanceof IOException ? (IOException) e : new IOException("no answer by HTTP's rules", e));
        } finally {
            if (!isKept) {
                deadline.met();
            }
        }
    }

    private static SdkHttpResponse head(HttpResponse answer) {
        return SdkHttpResponse.builder()
                .statusCode(answer.getStatusLine().getStatusCode())
                .statusText(answer.getStatusLine().getReasonPhrase())
                .headers(Stream.of(answer.getAllHeaders())
                        .collect(groupingBy(Header::getName, mapping(Header::getValue, toList()))))
                .build();
    }

    @Override
    public void close() {
        IdleConnectionReaper.getInstance().deregisterConnectionManager(connections);
        connections.shutdown();
        deadlines.shutdown();
    }

    @Override
    public String clientName() {
        return "Apache";
    }

    /** The options that this program sets; all others are the service's own, or the SDK's. */
    static final class Builder implements SdkHttpClient.Builder<Builder> {
        private final HttpClientBuilder http;
        private final AttributeMap.Builder options = AttributeMap.builder();

        /** @param http has how proxies are found */
        Builder(HttpClientBuilder http) {
            this.http = http;
        }

        Builder maxConnections(int most) {
            options.put(SdkHttpConfigurationOption.MAX_CONNECTIONS, most);
            return this;
        }

        Builder socketTimeout(Duration most) {
            options.put(SdkHttpConfigurationOption.READ_TIMEOUT, most);
            return this;
        }

        @Override
        public SdkHttpClient buildWithDefaults(AttributeMap defaults) {
            return new BoundedHttpClient(http,
                    options.build().merge(defaults).merge(SdkHttpConfigurationOption.GLOBAL_HTTP_DEFAULTS));
        }
    }
}
