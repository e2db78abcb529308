package podvm.image;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import podvm.engine.Credentials;
import podvm.engine.Deadline;
import podvm.engine.Image;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.image.content.ReadFailure;
import podvm.image.registry.Registries;
import podvm.image.registry.Repository;
import podvm.image.trust.SignaturePolicy;

/** Fetches an image from its registry. */
final class ImagePull implements AutoCloseable {
    private final Registries registries;
    private final ImageInstall install;
    private final PlatformChoice platform;
    private final ImageTrust trust;

    ImagePull(
            Registries registries,
            ImageInstall install,
            PlatformChoice platform,
            SignaturePolicy policy) {
        this.registries = registries;
        this.install = install;
        this.platform = platform;
        this.trust = new ImageTrust(policy, platform);
    }

    /** Refuses what the policy rejects by its name, also where it was fetched under another one. */
    void checkName(ImageReference reference) throws PodException {
        trust.checkName(reference);
    }

    /**
     * @param text as the user wrote it
     * @param credentials for the image's registry; empty: what docker login left
     */
    Image pull(
            String text,
            ImageReference reference,
            Optional<Credentials> credentials,
            Progress progress,
            Deadline deadline)
            throws PodException, InterruptedException {
        if (!text.equals(reference.full())) {
            progress.at("%s is %s".formatted(text, reference.full()), 0, -1);
        }
        checkName(reference);
        var repository =
                registries.repository(reference.registry(), reference.repository(), credentials);
        progress.at("manifest", 0, -1);
        var root =
                reference.digest().isPresent()
                        ? repository.root(reference.digest().get(), deadline)
                        : repository.tagged(reference.version(), deadline);
        trust.check(reference, root, repository, deadline);
        var walk = new ManifestWalk(new RegistryContents(repository), platform, progress, deadline);
        try {
            var parts = walk.parts(root.bytes(), reference.full());
            return install.install(parts, names(reference, root), deadline);
        } catch (IOException e) {
            throw ReadFailure.of(e, "pull " + reference.full());
        }
    }

    @Override
    public void close() {
        registries.close();
    }

    /** The tag may move; the digest stays a name of what was fetched. */
    private static List<String> names(ImageReference reference, Repository.Root root) {
        var exact = reference.named(root.digest());
        return reference.full().equals(exact) ? List.of(exact) : List.of(reference.full(), exact);
    }
}
