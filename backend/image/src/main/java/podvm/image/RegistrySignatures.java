package podvm.image;

import java.io.IOException;
import java.util.Optional;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.PodException;
import podvm.image.content.ReadFailure;
import podvm.image.content.Sha256;
import podvm.image.registry.Repository;
import podvm.image.trust.SignatureSource;

/** Signatures beside the images of a repository. */
record RegistrySignatures(Repository repository) implements SignatureSource {
    private static final int LARGEST = 64 << 10;

    @Override
    public Optional<byte[]> manifest(String tag, Deadline deadline)
            throws PodException, InterruptedException {
        try {
            return Optional.of(repository.tagged(tag, deadline).bytes());
        } catch (PodException e) {
            if (e.kind() == PodException.Kind.NOT_FOUND) {
                return Optional.empty();
            }
            throw e;
        }
    }

    @Override
    public byte[] blob(Digest digest, long size, Deadline deadline)
            throws PodException, InterruptedException {
        try (var in = repository.blob(digest, size, deadline)) {
            var bytes = in.readNBytes(LARGEST + 1);
            if (bytes.length > LARGEST || !Sha256.of(bytes).equals(digest)) {
                throw new PodException(
                        PodException.Kind.CORRUPT,
                        "the signed statement %s is too long or another one".formatted(digest),
                        "sign the image again");
            }
            return bytes;
        } catch (IOException e) {
            throw ReadFailure.of(e, "read the signed statement " + digest);
        }
    }
}
