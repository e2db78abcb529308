package podvm.image.registry;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import podvm.engine.Credentials;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.image.content.Json;
import tools.jackson.databind.JsonNode;

/**
 * Finds credentials in the file that "docker login" and "podman login" write: config.json or
 * auth.json. It is read anew for each pull, so that a login counts at once.
 *
 * @param file need not be there
 */
record DockerConfig(Optional<Path> file, Map<String, String> environment) {
    private static final int LARGEST_FILE = 4 << 20;

    /** Docker's own name for its registry in this file. */
    private static final List<String> DOCKER_KEYS =
            List.of("docker.io", "index.docker.io", "registry-1.docker.io");

    private static final String DOCKER_SERVER = "https://index.docker.io/v1/";

    static DockerConfig of(RegistryOptions options) {
        var environment = options.environment();
        var directory =
                Optional.ofNullable(environment.get("DOCKER_CONFIG"))
                        .filter(text -> !text.isBlank())
                        .map(Path::of)
                        .or(() ->
                                Optional.ofNullable(environment.get("HOME"))
                                        .filter(text -> !text.isBlank())
                                        .map(home -> Path.of(home, ".docker")));
        return new DockerConfig(
                options.dockerConfig().or(() -> directory.map(path -> path.resolve("config.json"))),
                environment);
    }

    /**
     * @param host with a port where one is given
     * @param repository within it; an entry may be for a part of a registry
     */
    Credentials of(String host, String repository, Deadline deadline)
            throws PodException, InterruptedException {
        var root = read();
        if (root.isEmpty()) {
            return new Credentials.Anonymous();
        }
        var names = names(host);
        for (var name : names) {
            var helper = Json.text(root.get().path("credHelpers"), name);
            if (!helper.isEmpty()) {
                return helper(helper, host, deadline);
            }
        }
        var entry = entry(root.get().path("auths"), names, repository);
        if (entry.isPresent()) {
            var stored = stored(entry.get());
            if (stored.isPresent()) {
                return stored.get();
            }
        }
        var helper = Json.text(root.get(), "credsStore");
        return helper.isEmpty() ? new Credentials.Anonymous() : helper(helper, host, deadline);
    }

    private Credentials helper(String name, String host, Deadline deadline)
            throws PodException, InterruptedException {
        var server = DOCKER_KEYS.contains(host) ? DOCKER_SERVER : host;
        return new CredentialHelper(name, environment).get(server, deadline);
    }

    private Optional<JsonNode> read() throws PodException {
        if (file.isEmpty()) {
            return Optional.empty();
        }
        try (var in = Files.newInputStream(file.get())) {
            return Optional.of(Json.parse(in.readNBytes(LARGEST_FILE), file.get().toString()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new PodException(
                    PodException.Kind.DENIED,
                    "cannot read credentials from %s: %s".formatted(file.get(), e),
                    "let this user read the file",
                    e);
        }
    }

    private static List<String> names(String host) {
        return DOCKER_KEYS.contains(host) ? DOCKER_KEYS : List.of(host);
    }

    /** The entry for the longest part of the name. */
    private static Optional<JsonNode> entry(JsonNode auths, List<String> hosts, String repository) {
        var wanted = new ArrayList<String>();
        for (var path = repository; !path.isEmpty(); path = parent(path)) {
            for (var host : hosts) {
                wanted.add(host + "/" + path);
            }
        }
        wanted.addAll(hosts);
        for (var name : wanted) {
            for (var entry : auths.properties()) {
                if (bare(entry.getKey()).equals(name)) {
                    return Optional.of(entry.getValue());
                }
            }
        }
        return Optional.empty();
    }

    private static String parent(String path) {
        return path.substring(0, Math.max(0, path.lastIndexOf('/')));
    }

    /** Some programs write whole addresses. */
    private static String bare(String key) {
        return key.replaceFirst("^https?://", "").replaceFirst("(/v[12])?/*$", "");
    }

    private Optional<Credentials> stored(JsonNode entry) throws PodException {
        var identity = Json.text(entry, "identitytoken");
        if (!identity.isEmpty()) {
            return Optional.of(new Credentials.IdentityToken(identity));
        }
        var token = Json.text(entry, "registrytoken");
        if (!token.isEmpty()) {
            return Optional.of(new Credentials.RegistryToken(token));
        }
        var auth = Json.text(entry, "auth");
        if (!auth.isEmpty()) {
            return Optional.of(decoded(auth));
        }
        var user = Json.text(entry, "username");
        return user.isEmpty()
                ? Optional.empty()
                : Optional.of(new Credentials.Password(user, Json.text(entry, "password")));
    }

    private Credentials decoded(String auth) throws PodException {
        try {
            var bytes = Base64.getMimeDecoder().decode(auth);
            var text = new String(bytes, StandardCharsets.UTF_8).replaceAll("\0+$", "");
            int colon = text.indexOf(':');
            if (colon > 0) {
                return new Credentials.Password(
                        text.substring(0, colon), text.substring(colon + 1));
            }
        } catch (IllegalArgumentException e) {
            throw malformed();
        }
        throw malformed();
    }

    private PodException malformed() {
        return new PodException(
                PodException.Kind.INVALID,
                "an 'auth' in %s is not the Base64 form of user:password"
                        .formatted(file.map(Path::toString).orElse("")),
                "log in again");
    }
}
