package podvm.image.registry;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import podvm.engine.PodException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.toml.TomlMapper;

/**
 * Reads hosts.toml, the form that containerd has given such files (its docs/hosts.md). Unlike there
 * a key that is not known is refused: a mirror that is not used or a certificate that is not
 * checked should be noticed.
 */
final class HostsFile {
    private static final Set<String> HOST_KEYS =
            Set.of(
                    "capabilities",
                    "ca",
                    "client",
                    "skip_verify",
                    "header",
                    "override_path",
                    "dial_timeout",
                    "proxy");
    private static final Set<String> CAPABILITIES = Set.of("pull", "resolve", "push", "referrers");
    private static final Pattern DURATION_PART =
            Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(ms|s|m|h)");

    private final Path file;
    private final String registry;

    /**
     * @param file relative paths in it start beside it
     */
    HostsFile(Path file, String registry) {
        this.file = file;
        this.registry = registry;
    }

    /** The mirrors in their order, then the server. */
    List<RegistryHost> parse(String text) throws PodException {
        JsonNode root;
        try {
            root = new TomlMapper().readTree(text);
        } catch (JacksonException e) {
            throw wrong("it is not TOML: " + e.getOriginalMessage());
        }
        var hosts = new ArrayList<RegistryHost>();
        for (var entry : root.path("host").properties()) {
            var where = "host.\"" + entry.getKey() + "\"";
            refuseUnknown(entry.getValue(), where + ".", Set.of());
            hosts.add(host(entry.getKey(), entry.getValue(), where + "."));
        }
        refuseUnknown(root, "", Set.of("server", "host"));
        var server = text(root, "server", "");
        hosts.add(
                server.isPresent()
                        ? host(server.get(), root, "")
                        : settings(RegistryHost.of(registry, tls(root, "")), root, ""));
        return List.copyOf(hosts);
    }

    private void refuseUnknown(JsonNode table, String where, Set<String> also) throws PodException {
        for (var key : table.propertyNames()) {
            if (!HOST_KEYS.contains(key) && !also.contains(key)) {
                throw wrong("there is no key '%s%s'".formatted(where, key));
            }
        }
    }

    private RegistryHost host(String server, JsonNode table, String where) throws PodException {
        var uri = uri(server, where);
        boolean own = flag(table, "override_path", where);
        var path = Optional.ofNullable(uri.getRawPath()).orElse("").replaceAll("/+$", "");
        var api = own || path.endsWith("/v2") ? path : path + "/v2";
        return settings(
                new RegistryHost(
                        URI.create(uri.getScheme() + "://" + uri.getRawAuthority() + api),
                        true,
                        true,
                        tls(table, where),
                        Map.of(),
                        Optional.empty(),
                        Optional.empty()),
                table,
                where);
    }

    private RegistryHost settings(RegistryHost host, JsonNode table, String where)
            throws PodException {
        var capabilities = texts(table.path("capabilities"), where + "capabilities");
        for (var capability : capabilities) {
            if (!CAPABILITIES.contains(capability.toLowerCase(Locale.ROOT))) {
                throw wrong("there is no capability '%s'".formatted(capability));
            }
        }
        var proxy = text(table, "proxy", where);
        return new RegistryHost(
                host.api(),
                capabilities.isEmpty() || capabilities.contains("pull"),
                capabilities.isEmpty() || capabilities.contains("resolve"),
                host.tls(),
                headers(table.path("header"), where + "header."),
                duration(table, where),
                proxy.isPresent()
                        ? Optional.of(ProxyAddress.parse(proxy.get(), where + "proxy of " + file))
                        : Optional.empty());
    }

    private TlsSettings tls(JsonNode table, String where) throws PodException {
        var authorities = new ArrayList<Path>();
        for (var path : texts(table.path("ca"), where + "ca")) {
            authorities.add(file.resolveSibling(path));
        }
        return new TlsSettings(
                List.copyOf(authorities),
                identities(table.path("client"), where + "client"),
                flag(table, "skip_verify", where));
    }

    private List<TlsSettings.Identity> identities(JsonNode node, String where) throws PodException {
        var found = new ArrayList<TlsSettings.Identity>();
        for (var one : node.isArray() ? node : List.<JsonNode>of(node)) {
            if (one.isMissingNode()) {
                continue;
            }
            var pair = texts(one, where);
            if (pair.isEmpty() || pair.size() > 2) {
                throw wrong(where + " must be a file, or pairs of certificate and key files");
            }
            var certificate = file.resolveSibling(pair.getFirst());
            boolean joint = pair.size() == 1 || pair.get(1).isEmpty();
            found.add(
                    new TlsSettings.Identity(
                            certificate, joint ? certificate : file.resolveSibling(pair.get(1))));
        }
        return List.copyOf(found);
    }

    private Map<String, List<String>> headers(JsonNode table, String where) throws PodException {
        var headers = new LinkedHashMap<String, List<String>>();
        for (var entry : table.properties()) {
            headers.put(entry.getKey(), texts(entry.getValue(), where + entry.getKey()));
        }
        return headers;
    }

    private URI uri(String server, String where) throws PodException {
        try {
            var bare = URI.create(server.contains("://") ? server : "http://" + server);
            var uri =
                    server.contains("://") || Origins.isLoopback(bare)
                            ? bare
                            : URI.create("https://" + server);
            if (Origins.isHttp(uri) && uri.getHost() != null && uri.getRawQuery() == null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            throw wrong("%s'%s' is no address".formatted(where, server));
        }
        throw wrong("%s'%s' is no address of a registry".formatted(where, server));
    }

    private Optional<Duration> duration(JsonNode table, String where) throws PodException {
        var text = text(table, "dial_timeout", where);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        double millis = 0;
        var part = DURATION_PART.matcher(text.get());
        int at = 0;
        while (part.find() && part.start() == at) {
            at = part.end();
            millis +=
                    Double.parseDouble(part.group(1))
                            * switch (part.group(2)) {
                                case "ms" -> 1;
                                case "s" -> 1000;
                                case "m" -> 60_000;
                                default -> 3_600_000;
                            };
        }
        if (at < text.get().length() || millis < 1) {
            throw wrong(where + "dial_timeout must be a time such as \"500ms\" or \"10s\"");
        }
        return Optional.of(Duration.ofMillis((long) millis));
    }

    private Optional<String> text(JsonNode table, String key, String where) throws PodException {
        var node = table.path(key);
        if (node.isMissingNode()) {
            return Optional.empty();
        }
        if (!node.isString()) {
            throw wrong(where + key + " must be a text");
        }
        return Optional.of(node.asString()).filter(text -> !text.isEmpty());
    }

    private boolean flag(JsonNode table, String key, String where) throws PodException {
        var node = table.path(key);
        if (!node.isMissingNode() && !node.isBoolean()) {
            throw wrong(where + key + " must be true or false");
        }
        return node.asBoolean(false);
    }

    /** One text or an array of them. */
    private List<String> texts(JsonNode node, String where) throws PodException {
        var found = new ArrayList<String>();
        for (var one : node.isArray() ? node : List.<JsonNode>of(node)) {
            if (one.isMissingNode()) {
                continue;
            }
            if (!one.isString()) {
                throw wrong(where + " must be a text or an array of texts");
            }
            found.add(one.asString());
        }
        return List.copyOf(found);
    }

    private PodException wrong(String why) {
        return new PodException(
                PodException.Kind.INVALID,
                "cannot use %s: %s".formatted(file, why),
                "correct the file; docs/howto/registries.md lists the keys");
    }
}
