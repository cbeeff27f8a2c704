package replicator.aws;

import java.net.URI;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Finds the proxy for a host: {@code HTTPS_PROXY}, {@code HTTP_PROXY} and {@code NO_PROXY}, or the same in
 * lower case, which win. The rules are those of Python's urllib.request, which botocore uses; Java's own properties
 * ({@code -Dhttps.proxyHost}) win over both, because whoever sets them means the JVM alone.
 */
final class Proxies {
    private static final int HTTP_PORT = 80;
    private static final int HTTPS_PORT = 443;

    private Proxies() {}

    /** @return the proxy's URL with its port, and with its user and password if it has them; null where there is none */
    static URI of(URI target) {
        return of(target, System.getenv());
    }

    static URI of(URI target, Map<String, String> environment) {
        String scheme = target.getScheme().toLowerCase(Locale.ROOT);
        String host = System.getProperty(scheme + ".proxyHost", "");
        if (!host.isEmpty()) {
            return isNonProxyHost(target.getHost()) ? null
                    : withPort("http://" + host + ":" + System.getProperty(scheme + ".proxyPort", "80"));
        }
        String proxy = value(environment, scheme + "_proxy");
        return proxy.isEmpty() || isBypassed(target.getRawAuthority(), value(environment, "no_proxy"))
                ? null : withPort(proxy.contains("://") ? proxy : "http://" + proxy);
    }

    /** A name in lower case wins, also where its value is empty. */
    private static String value(Map<String, String> environment, String name) {
        return environment.getOrDefault(name, environment.getOrDefault(name.toUpperCase(Locale.ROOT), ""));
    }

    private static URI withPort(String proxy) {
        URI uri = URI.create(proxy);
        if (uri.getHost() == null) {
            throw new IllegalArgumentException("The proxy that HTTPS_PROXY or HTTP_PROXY names has no host");
        }
        int port = uri.getPort() > 0 ? uri.getPort() : "https".equals(uri.getScheme()) ? HTTPS_PORT : HTTP_PORT;
        String user = uri.getRawUserInfo() == null ? "" : uri.getRawUserInfo() + "@";
        return URI.create(uri.getScheme() + "://" + user + uri.getHost() + ":" + port);
    }

    /** @param authority of the target's URL: its host, with the port where that is given */
    private static boolean isBypassed(String authority, String noProxy) {
        if (noProxy.strip().equals("*")) {
            return true;
        }
        String host = authority.toLowerCase(Locale.ROOT);
        String hostOnly = host.replaceFirst(":\\d*$", "");
        return Stream.of(noProxy.split(","))
                .map(name -> name.strip().replaceFirst("^\\.+", "").toLowerCase(Locale.ROOT))
                .filter(name -> !name.isEmpty())
                .anyMatch(name -> host.equals(name) || hostOnly.equals(name)
                        || host.endsWith("." + name) || hostOnly.endsWith("." + name));
    }

    private static boolean isNonProxyHost(String host) {
        return Stream.of(System.getProperty("http.nonProxyHosts", "localhost|127.*|[::1]").split("\\|"))
                .map(each -> "\\Q" + each.replace("*", "\\E.*\\Q") + "\\E")
                .anyMatch(host::matches);
    }
}
