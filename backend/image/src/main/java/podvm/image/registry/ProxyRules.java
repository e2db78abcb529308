package podvm.image.registry;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import podvm.engine.PodException;

/**
 * Which proxy leads to a server, by the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY in small or
 * capital letters, small ones first (as curl and Go's net/http read them), and by ALL_PROXY where
 * one of the first two is missing (as curl does). This machine itself is never asked through a
 * proxy.
 */
record ProxyRules(
        Optional<ProxyAddress> http, Optional<ProxyAddress> https, List<ProxyExemption> direct) {
    private static final String ALL = "ALL_PROXY";

    static ProxyRules of(Map<String, String> environment) throws PodException {
        var direct = new ArrayList<ProxyExemption>();
        for (var entry : variable(environment, "NO_PROXY").orElse("").split("[,\\s]+")) {
            if (!entry.isEmpty()) {
                direct.add(ProxyExemption.parse(entry));
            }
        }
        return new ProxyRules(
                proxy(environment, "HTTP_PROXY"),
                proxy(environment, "HTTPS_PROXY"),
                List.copyOf(direct));
    }

    Optional<ProxyAddress> to(URI uri) {
        boolean exempt =
                Origins.isLoopback(uri)
                        || direct.stream().anyMatch(exemption -> exemption.covers(uri));
        if (exempt) {
            return Optional.empty();
        }
        return "https".equals(uri.getScheme()) ? https : http;
    }

    private static Optional<ProxyAddress> proxy(Map<String, String> environment, String name)
            throws PodException {
        var text = variable(environment, name);
        if (text.isPresent()) {
            return Optional.of(ProxyAddress.parse(text.get(), name));
        }
        var forAll = variable(environment, ALL);
        return forAll.isPresent()
                ? Optional.of(ProxyAddress.parse(forAll.get(), ALL))
                : Optional.empty();
    }

    private static Optional<String> variable(Map<String, String> environment, String name) {
        return Optional.ofNullable(environment.get(name.toLowerCase(Locale.ROOT)))
                .or(() -> Optional.ofNullable(environment.get(name)))
                .map(String::strip)
                .filter(text -> !text.isEmpty());
    }
}
