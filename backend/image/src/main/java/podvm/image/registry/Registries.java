package podvm.image.registry;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import podvm.engine.Credentials;
import podvm.engine.PodException;

/** All registries, with the connections and tokens that are kept for the next pull. */
public final class Registries implements AutoCloseable {
    private final RegistryOptions options;
    private final HostsDirectories hosts;
    private final DockerConfig logins;
    private final Tokens tokens = new Tokens();
    private final Distrust distrust = new Distrust();
    private @Nullable Exchanges exchanges;

    public Registries(RegistryOptions options) {
        this.options = options;
        this.hosts = new HostsDirectories(options.hostsDirectories());
        this.logins = DockerConfig.of(options);
    }

    /**
     * @param registry as images are named after it: host, with a port where one is given
     * @param path "library/busybox"
     * @param given for the registry itself, not for its mirrors; empty: what docker login left
     */
    public Repository repository(String registry, String path, Optional<Credentials> given)
            throws PodException {
        var exchanges = exchanges();
        var places = new ArrayList<Repository.Place>();
        for (var host : hosts.of(registry)) {
            Optional<Credentials> own = host.isHome(registry) ? given : Optional.empty();
            Login.Lookup lookup =
                    deadline ->
                            own.isPresent() ? own.get() : logins.of(host.name(), path, deadline);
            var service = new TokenService(exchanges, host);
            places.add(new Repository.Place(host, new Login(host, path, lookup, tokens, service)));
        }
        return new Repository(exchanges, distrust, registry, path, List.copyOf(places));
    }

    @Override
    public synchronized void close() {
        if (exchanges != null) {
            exchanges.close();
        }
    }

    /** Made by the first pull: who never pulls should not fail for a variable's mistake. */
    private synchronized Exchanges exchanges() throws PodException {
        if (exchanges == null) {
            var proxies = ProxyRules.of(options.environment());
            var patience = options.patience();
            exchanges = new Exchanges(new HttpClients(proxies, patience.connect()), patience);
        }
        return exchanges;
    }
}
