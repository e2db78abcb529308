package podvm.image.registry;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.PodException;
import podvm.image.Sha256;

/** One repository of a registry. */
public final class Repository {
    /** Registries take at most that much (OCI distribution specification). */
    private static final int LARGEST_MANIFEST = 4 << 20;

    private static final String MANIFESTS =
            String.join(
                    ", ",
                    "application/vnd.oci.image.index.v1+json",
                    "application/vnd.oci.image.manifest.v1+json",
                    "application/vnd.docker.distribution.manifest.list.v2+json",
                    "application/vnd.docker.distribution.manifest.v2+json");

    private final RegistryClient client;
    private final String registry;
    private final String path;
    private final Endpoint endpoint;

    /**
     * @param registry as images are named after it: host, with a port where one is given
     * @param path "library/busybox"
     */
    public Repository(RegistryClient client, String registry, String path) {
        this.client = client;
        this.registry = registry;
        this.path = path;
        this.endpoint = Endpoint.of(registry);
    }

    /** A manifest or index, with the digest by which it can be asked for. */
    public record Root(byte[] bytes, Digest digest) {}

    /** What a tag leads to now. */
    public Root tagged(String tag, Deadline deadline) throws PodException, InterruptedException {
        return root(tag, name() + ":" + tag, Optional.empty(), deadline);
    }

    public Root root(Digest digest, Deadline deadline) throws PodException, InterruptedException {
        return root(digest.toString(), name() + "@" + digest, Optional.of(digest), deadline);
    }

    /** The caller checks it. */
    public InputStream manifest(Digest digest, Deadline deadline)
            throws PodException, InterruptedException {
        return ask("manifests", digest.toString(), MANIFESTS, shown("manifest", digest), deadline)
                .body();
    }

    /** The caller checks it. */
    public InputStream blob(Digest digest, Deadline deadline)
            throws PodException, InterruptedException {
        return ask("blobs", digest.toString(), "*/*", shown("blob", digest), deadline).body();
    }

    private Root root(String version, String full, Optional<Digest> wanted, Deadline deadline)
            throws PodException, InterruptedException {
        var what = "manifest of " + full;
        try (var answer = ask("manifests", version, MANIFESTS, what, deadline)) {
            var bytes = answer.body().readNBytes(LARGEST_MANIFEST + 1);
            if (bytes.length > LARGEST_MANIFEST) {
                throw new PodException(
                        PodException.Kind.CORRUPT,
                        "the %s has more than %d bytes".formatted(what, LARGEST_MANIFEST),
                        "check that it is a container image");
            }
            var actual = Sha256.of(bytes);
            var expected = wanted.isPresent() ? wanted : told(answer);
            if (expected.isPresent() && !expected.get().equals(actual)) {
                throw new PodException(
                        PodException.Kind.CORRUPT,
                        "the %s has digest %s, expected %s".formatted(what, actual, expected.get()),
                        "try again; the registry or something before it alters content");
            }
            return new Root(bytes, actual);
        } catch (IOException e) {
            throw RegistryClient.unreadable(e, "read the " + what);
        }
    }

    private RegistryClient.Answer ask(
            String kind, String version, String accept, String what, Deadline deadline)
            throws PodException, InterruptedException {
        var uri = endpoint.resolve("/v2/%s/%s/%s".formatted(path, kind, version));
        return client.get(uri, accept, name(), what, deadline);
    }

    private static Optional<Digest> told(RegistryClient.Answer answer) throws PodException {
        var header = answer.header("Docker-Content-Digest");
        // other hashes are allowed there
        return header.isPresent() && header.get().startsWith("sha256:")
                ? Optional.of(Digest.parse(header.get()))
                : Optional.empty();
    }

    private String name() {
        return registry + "/" + path;
    }

    private String shown(String kind, Digest digest) {
        return "%s %s of %s".formatted(kind, digest, name());
    }
}
