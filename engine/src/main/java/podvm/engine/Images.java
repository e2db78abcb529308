package podvm.engine;

import java.io.InputStream;
import java.util.List;
import java.util.Optional;

/** Holds images and their layer disks. */
public interface Images {
    /**
     * Returns the image of a reference, fetched where the policy says so. On failure nothing
     * half-made is left.
     *
     * @param reference as a user writes it ("nginx", "quay.io/a/b:1", "a@sha256:…")
     */
    Image pull(String reference, PullPolicy policy, Progress progress, Deadline deadline)
            throws PodException, InterruptedException;

    /** By reference, by id, or by a unique prefix of an id of at least 6 digits. */
    Optional<Image> find(String referenceOrId) throws PodException;

    List<Image> list() throws PodException;

    /**
     * Takes an OCI layout or docker-archive (both as tar), or a root file system tar.
     *
     * @param name under which it is stored; required for a root file system tar, optional where the
     *     archive names its images
     */
    List<Image> load(InputStream archive, Optional<String> name, Progress progress)
            throws PodException, InterruptedException;

    /** Forgets a reference; the image and its layers go when nothing else refers to them. */
    void remove(String referenceOrId) throws PodException;
}
