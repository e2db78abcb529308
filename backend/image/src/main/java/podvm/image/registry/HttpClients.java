package podvm.image.registry;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import podvm.engine.PodException;

/** One HTTP client for each way of reaching servers; each keeps its own connections. */
final class HttpClients implements AutoCloseable {
    private final ProxyRules environment;
    private final Duration connect;
    private final Map<Kind, HttpClient> clients = new HashMap<>();

    private record Kind(TlsSettings tls, Duration connect, Optional<ProxyAddress> proxy) {}

    HttpClients(ProxyRules environment, Duration connect) {
        this.environment = environment;
        this.connect = connect;
    }

    synchronized HttpClient of(RegistryHost host) throws PodException {
        var kind = new Kind(host.tls(), host.connect().orElse(connect), host.proxy());
        var known = clients.get(kind);
        if (known != null) {
            return known;
        }
        var made = make(kind);
        clients.put(kind, made);
        return made;
    }

    Optional<ProxyAddress> proxy(RegistryHost host, URI uri) {
        return host.proxy().or(() -> environment.to(uri));
    }

    @Override
    public synchronized void close() {
        clients.values().forEach(HttpClient::shutdownNow);
        clients.clear();
    }

    /** Redirects are not for it to follow, since credentials must not reach another host. */
    private HttpClient make(Kind kind) throws PodException {
        var builder =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .connectTimeout(kind.connect())
                        .proxy(new Chosen(kind.proxy(), environment))
                        .executor(Executors.newVirtualThreadPerTaskExecutor());
        if (!kind.tls().isDefault()) {
            builder.sslContext(TlsContexts.of(kind.tls()));
        }
        return builder.build();
    }

    private static final class Chosen extends ProxySelector {
        private final Optional<ProxyAddress> own;
        private final ProxyRules environment;

        Chosen(Optional<ProxyAddress> own, ProxyRules environment) {
            this.own = own;
            this.environment = environment;
        }

        @Override
        public List<Proxy> select(URI uri) {
            return own.or(() -> environment.to(uri))
                    .map(Chosen::proxy)
                    .map(List::of)
                    .orElse(List.of(Proxy.NO_PROXY));
        }

        @Override
        public void connectFailed(URI uri, SocketAddress address, IOException e) {
            // the request itself tells
        }

        private static Proxy proxy(ProxyAddress address) {
            return new Proxy(
                    Proxy.Type.HTTP,
                    InetSocketAddress.createUnresolved(address.host(), address.port()));
        }
    }
}
