package podvm.image.registry;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How registries are reached.
 *
 * @param hostsDirectories each with {@code <host[:port]>/hosts.toml}; the first that knows a host
 *     counts
 * @param dockerConfig a config.json with credentials; empty: where the environment says
 * @param environment of the process: proxies, DOCKER_CONFIG, HOME, PATH
 */
public record RegistryOptions(
        List<Path> hostsDirectories,
        Optional<Path> dockerConfig,
        Map<String, String> environment,
        Patience patience) {
    /** Neither mirrors nor credentials nor proxies. */
    public static final RegistryOptions NONE =
            new RegistryOptions(List.of(), Optional.empty(), Map.of(), Patience.DEFAULT);

    /**
     * @param answer until a server has sent its answer's headers
     * @param idle between two pieces of a body
     * @param tries of one request, and of a blob's rest without getting on
     * @param firstPause before the second try; it doubles
     * @param longestPause that is waited, also when a server asks for more
     */
    public record Patience(
            Duration connect,
            Duration answer,
            Duration idle,
            int tries,
            Duration firstPause,
            Duration longestPause) {
        public static final Patience DEFAULT =
                new Patience(
                        Duration.ofSeconds(15),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(60),
                        5,
                        Duration.ofMillis(400),
                        Duration.ofSeconds(60));
    }
}
