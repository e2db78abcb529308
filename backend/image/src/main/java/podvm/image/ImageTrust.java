package podvm.image;

import java.util.ArrayList;
import java.util.List;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.PodException;
import podvm.image.registry.Repository;
import podvm.image.trust.SignaturePolicy;
import podvm.image.trust.SignedImage;

/** Asks the policy before an image's layers are fetched. */
record ImageTrust(SignaturePolicy policy, PlatformChoice platform) {
    /** Before anything is fetched. */
    void checkName(ImageReference reference) throws PodException {
        policy.checkName(image(reference, reference.digest().stream().toList()));
    }

    void check(
            ImageReference reference,
            Repository.Root root,
            Repository repository,
            Deadline deadline)
            throws PodException, InterruptedException {
        var digests = new ArrayList<>(List.of(root.digest()));
        var what = "manifest of " + reference.full();
        if (Manifest.parse(root.bytes(), what) instanceof Manifest.Index(var manifests)) {
            digests.addFirst(platform.choose(manifests, reference.full()).digest());
        }
        policy.check(image(reference, digests), new RegistrySignatures(repository), deadline);
    }

    private static SignedImage image(ImageReference reference, List<Digest> digests) {
        // beside a digest a tag means nothing
        var tag = reference.tag().filter(_ -> reference.digest().isEmpty());
        return new SignedImage(reference.name(), tag, List.copyOf(digests));
    }
}
