package podvm.image;

import java.io.IOException;
import java.util.List;
import podvm.engine.Deadline;
import podvm.engine.Image;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.image.registry.RegistryClient;
import podvm.image.registry.Repository;

/** Fetches an image from its registry. */
final class ImagePull implements AutoCloseable {
    private final RegistryClient client = new RegistryClient();
    private final ImageInstall install;
    private final PlatformChoice platform;

    ImagePull(ImageInstall install, PlatformChoice platform) {
        this.install = install;
        this.platform = platform;
    }

    Image pull(ImageReference reference, Progress progress, Deadline deadline)
            throws PodException, InterruptedException {
        var repository = new Repository(client, reference.registry(), reference.repository());
        progress.at("manifest", 0, -1);
        var root =
                reference.digest().isPresent()
                        ? repository.root(reference.digest().get(), deadline)
                        : repository.tagged(reference.version(), deadline);
        var walk = new ManifestWalk(new RegistryContents(repository), platform, progress, deadline);
        try {
            var parts = walk.parts(root.bytes(), reference.full());
            return install.install(parts, names(reference, root), deadline);
        } catch (IOException e) {
            throw StoreFailure.ofSource(e, "pull " + reference.full());
        }
    }

    @Override
    public void close() {
        client.close();
    }

    /** The tag may move; the digest stays a name of what was fetched. */
    private static List<String> names(ImageReference reference, Repository.Root root) {
        var exact = reference.named(root.digest());
        return reference.full().equals(exact) ? List.of(exact) : List.of(reference.full(), exact);
    }
}
