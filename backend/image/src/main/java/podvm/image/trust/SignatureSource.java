package podvm.image.trust;

import java.util.Optional;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.PodException;

/** Where the signatures of an image lie: in its own repository. What it gives is not trusted. */
public interface SignatureSource {
    /** Empty where the repository has no such tag. */
    Optional<byte[]> manifest(String tag, Deadline deadline)
            throws PodException, InterruptedException;

    /** A small blob, checked against its digest. */
    byte[] blob(Digest digest, long size, Deadline deadline)
            throws PodException, InterruptedException;
}
