package podvm.image;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.PodException;

/** One repository of a registry. */
final class Repository implements ManifestWalk.Contents {
    private static final String MANIFESTS =
            String.join(
                    ", ",
                    "application/vnd.oci.image.index.v1+json",
                    "application/vnd.oci.image.manifest.v1+json",
                    "application/vnd.docker.distribution.manifest.list.v2+json",
                    "application/vnd.docker.distribution.manifest.v2+json");

    private final RegistryClient client;
    private final ImageReference reference;
    private final Endpoint endpoint;

    Repository(RegistryClient client, ImageReference reference) {
        this.client = client;
        this.reference = reference;
        this.endpoint = Endpoint.of(reference.registry());
    }

    /** A manifest or index, with the digest by which it can be asked for. */
    record Root(byte[] bytes, Digest digest) {}

    /** What the reference leads to now. */
    Root root(Deadline deadline) throws PodException, InterruptedException {
        var what = "manifest of " + reference.full();
        try (var answer = ask("manifests", reference.version(), MANIFESTS, what, deadline)) {
            var bytes = answer.body().readNBytes(Manifest.LARGEST + 1);
            if (bytes.length > Manifest.LARGEST) {
                throw new PodException(
                        PodException.Kind.CORRUPT,
                        "the %s has more than %d bytes".formatted(what, Manifest.LARGEST),
                        "check that it is a container image");
            }
            var actual = Sha256.of(bytes);
            var expected = expected(answer);
            if (expected.isPresent() && !expected.get().equals(actual)) {
                throw new PodException(
                        PodException.Kind.CORRUPT,
                        "the %s has digest %s, expected %s".formatted(what, actual, expected.get()),
                        "try again; the registry or something before it alters content");
            }
            return new Root(bytes, actual);
        } catch (IOException e) {
            throw StoreFailure.ofSource(e, "read the " + what);
        }
    }

    @Override
    public InputStream manifest(Descriptor descriptor, Deadline deadline)
            throws PodException, InterruptedException {
        var digest = descriptor.digest().toString();
        return ask("manifests", digest, MANIFESTS, shown("manifest", descriptor), deadline).body();
    }

    @Override
    public InputStream blob(Descriptor descriptor, Deadline deadline)
            throws PodException, InterruptedException {
        var digest = descriptor.digest().toString();
        return ask("blobs", digest, "*/*", shown("blob", descriptor), deadline).body();
    }

    private RegistryClient.Answer ask(
            String kind, String version, String accept, String what, Deadline deadline)
            throws PodException, InterruptedException {
        var path = "/v2/%s/%s/%s".formatted(reference.repository(), kind, version);
        return client.get(endpoint.resolve(path), accept, reference.name(), what, deadline);
    }

    private Optional<Digest> expected(RegistryClient.Answer answer) throws PodException {
        if (reference.digest().isPresent()) {
            return reference.digest();
        }
        var header = answer.header("Docker-Content-Digest");
        // other hashes are allowed there
        return header.isPresent() && header.get().startsWith("sha256:")
                ? Optional.of(Digest.parse(header.get()))
                : Optional.empty();
    }

    private String shown(String kind, Descriptor descriptor) {
        return "%s %s of %s".formatted(kind, descriptor.digest(), reference.full());
    }
}
