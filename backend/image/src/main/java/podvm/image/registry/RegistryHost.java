package podvm.image.registry;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A server that holds a registry's content: the registry itself or a mirror.
 *
 * @param api under which repositories lie, without a slash at its end: "https://host/v2"
 * @param pulls whether it may be asked for content by digest
 * @param resolves whether it is trusted to say what a tag leads to
 * @param headers sent with each request
 * @param proxy instead of what the environment says
 */
record RegistryHost(
        URI api,
        boolean pulls,
        boolean resolves,
        TlsSettings tls,
        Map<String, List<String>> headers,
        Optional<Duration> connect,
        Optional<ProxyAddress> proxy) {
    /** Docker's registry does not live where its images are named after. */
    static final String DOCKER = "docker.io";

    static final String DOCKER_SERVER = "registry-1.docker.io";

    /** Where a registry answers of which nothing is configured. */
    static RegistryHost of(String registry, TlsSettings tls) {
        var server = registry.equals(DOCKER) ? DOCKER_SERVER : registry;
        boolean plain = Origins.isLoopback(URI.create("http://" + server)) && tls.isDefault();
        return new RegistryHost(
                URI.create((plain ? "http://" : "https://") + server + "/v2"),
                true,
                true,
                tls,
                Map.of(),
                Optional.empty(),
                Optional.empty());
    }

    /** Host, with a port where one is given. */
    String name() {
        return api.getRawAuthority();
    }

    /** Whether its own name is the one that the registry's images bear. */
    boolean isHome(String registry) {
        return name().equals(registry) || (registry.equals(DOCKER) && name().equals(DOCKER_SERVER));
    }
}
