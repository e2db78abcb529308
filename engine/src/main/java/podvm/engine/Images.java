package podvm.engine;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Optional;

/** Holds images and their layer disks. */
public interface Images {
    /**
     * Returns the image of a reference, fetched where the policy says so, or where a disk of it is
     * found damaged. On failure nothing half-made is left.
     *
     * @param reference as a user writes it ("nginx", "quay.io/a/b:1", "a@sha256:…")
     * @param credentials for the image's registry; empty: those that this node has for it
     */
    Image pull(
            String reference,
            PullPolicy policy,
            Optional<Credentials> credentials,
            Progress progress,
            Deadline deadline)
            throws PodException, InterruptedException;

    /** As the other, with the node's own credentials. */
    default Image pull(String reference, PullPolicy policy, Progress progress, Deadline deadline)
            throws PodException, InterruptedException {
        return pull(reference, policy, Optional.empty(), progress, deadline);
    }

    /**
     * Keeps an image for a pod until the pod is released. False where it is not there: then it was
     * removed since it was pulled. Holds do not outlive the process, the engine renews them.
     *
     * @param podName for messages: "default/web"
     */
    boolean hold(PodId pod, String podName, Digest image);

    /** Ends all that a pod holds; it may hold nothing. */
    void release(PodId pod);

    /** The whole name that a reference stands for: "docker.io/library/nginx:latest" for "nginx". */
    String fullName(String reference) throws PodException;

    /** By reference, by id, or by a unique prefix of an id of at least 6 digits. */
    Optional<Image> find(String referenceOrId) throws PodException;

    List<Image> list() throws PodException;

    /** All that is known of one image; NOT_FOUND where it is not there. */
    ImageDetails details(String referenceOrId) throws PodException;

    /**
     * Takes an OCI layout or docker-archive (both as tar), or a root file system tar.
     *
     * @param name under which it is stored; required for a root file system tar, optional where the
     *     archive names its images
     */
    List<Image> load(InputStream archive, Optional<String> name, Progress progress)
            throws PodException, InterruptedException;

    /**
     * Writes an OCI layout as a tar.
     *
     * @throws IOException where the stream fails, and for nothing else
     */
    ImageExport export(
            String referenceOrId, LayerPacking packing, OutputStream out, Progress progress)
            throws PodException, InterruptedException, IOException;

    /** Gives an image one more name, which may lead elsewhere until now. */
    Image tag(String referenceOrId, String name) throws PodException;

    /**
     * Forgets a reference, by id all references of an image. With its last one the image goes, and
     * every layer that no other image has; an image that a pod holds is refused with CONFLICT.
     */
    ImageRemoval remove(String referenceOrId) throws PodException;

    /** Removes images that no pod holds, and what was set aside as damaged. */
    ImageRemoval prune(Unwanted unwanted) throws PodException;

    /**
     * Reads layer disks whole and compares them with what was written; damaged ones are set aside.
     *
     * @param referenceOrId empty: those of all images
     */
    List<LayerCheck> verify(Optional<String> referenceOrId, Progress progress)
            throws PodException, InterruptedException;

    /** Which unheld images nobody wants. */
    enum Unwanted {
        /** Those to which no name leads that anybody asked for. */
        NAMELESS,
        ALL
    }

    /** How the layers of an exported image are packed. */
    enum LayerPacking {
        PLAIN,
        GZIP
    }
}
