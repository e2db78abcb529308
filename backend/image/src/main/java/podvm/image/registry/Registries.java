package podvm.image.registry;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import podvm.engine.PodException;

/** All registries, with the connections and tokens that are kept for the next pull. */
public final class Registries implements AutoCloseable {
    private final HostsDirectories hosts;
    private final DockerConfig logins;
    private final Exchanges exchanges;
    private final Tokens tokens = new Tokens();

    public Registries(RegistryOptions options) throws PodException {
        this.hosts = new HostsDirectories(options.hostsDirectories());
        this.logins = DockerConfig.of(options);
        var proxies = ProxyRules.of(options.environment());
        this.exchanges =
                new Exchanges(
                        new HttpClients(proxies, options.patience().connect()), options.patience());
    }

    /**
     * @param registry as images are named after it: host, with a port where one is given
     * @param path "library/busybox"
     * @param given for the registry itself, not for its mirrors; empty: what docker login left
     */
    public Repository repository(String registry, String path, Optional<Credentials> given)
            throws PodException {
        var places = new ArrayList<Repository.Place>();
        for (var host : hosts.of(registry)) {
            Optional<Credentials> own = host.isHome(registry) ? given : Optional.empty();
            Login.Lookup lookup =
                    deadline ->
                            own.isPresent() ? own.get() : logins.of(host.name(), path, deadline);
            var service = new TokenService(exchanges, host);
            places.add(new Repository.Place(host, new Login(host, path, lookup, tokens, service)));
        }
        return new Repository(exchanges, registry, path, List.copyOf(places));
    }

    @Override
    public void close() {
        exchanges.close();
    }
}
