package replicator.aws;

import java.net.URI;
import org.apache.http.HttpHost;
import org.apache.http.HttpRequest;
import org.apache.http.auth.AuthScope;
import org.apache.http.auth.UsernamePasswordCredentials;
import org.apache.http.impl.client.BasicCredentialsProvider;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.DefaultRoutePlanner;
import org.apache.http.protocol.HttpContext;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpService;

/**
 * Makes HTTP clients that use {@link Proxies} and whose answers are bounded. The SDK's own clients use the proxy of plain HTTP
 * for every host, and read answers of any size.
 *
 * <p>It is public because the SDK itself makes one, for its credentials providers that call STS and IAM Identity Center.
 */
public final class ProxiedHttpService implements SdkHttpService {
    /** The SDK's name of the property that names the class of its default client. */
    private static final String SDK_PROPERTY = "software.amazon.awssdk.http.service.impl";

    /** Has the SDK's default clients made here, unless a user has set that. */
    public static void install() {
        if (System.getProperty(SDK_PROPERTY) == null) {
            System.setProperty(SDK_PROPERTY, ProxiedHttpService.class.getName());
        }
    }

    @Override
    public SdkHttpClient.Builder<?> createHttpClientBuilder() {
        return sync();
    }

    static BoundedHttpClient.Builder sync() {
        BasicCredentialsProvider credentials = new BasicCredentialsProvider();
        return new BoundedHttpClient.Builder(HttpClients.custom()
                .setDefaultCredentialsProvider(credentials)
                .setRoutePlanner(new DefaultRoutePlanner(null) {
                    @Override
                    protected HttpHost determineProxy(HttpHost target, HttpRequest request, HttpContext context) {
                        return proxy(URI.create(target.toURI()), credentials);
                    }
                }));
    }

    private static HttpHost proxy(URI target, BasicCredentialsProvider credentials) {
        URI proxy = Proxies.of(target);
        if (proxy == null) {
            return null;
        }
        if (proxy.getUserInfo() != null) {
            credentials.setCredentials(
                    new AuthScope(proxy.getHost(), proxy.getPort()), new UsernamePasswordCredentials(proxy.getUserInfo()));
        }
        return new HttpHost(proxy.getHost(), proxy.getPort(), proxy.getScheme());
    }

    /** @param name of the threads that its exchanges have */
    static ThreadedHttpClient async(String name) {
        return new ThreadedHttpClient(sync().maxConnections(ThreadedHttpClient.MOST_EXCHANGES).build(), name);
    }
}
