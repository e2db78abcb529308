package podvm.engine;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * All that is known of an image.
 *
 * @param layers lowest first; one that stands in the image twice is there twice
 * @param history as the image tells it, oldest first
 * @param pods that hold it, by name
 */
public record ImageDetails(
        Image image, List<Layer> layers, List<History> history, List<String> pods) {
    /**
     * @param verityRoot root hash of the tree (dm-verity) that stands beside the disk: it stands
     *     for all of the disk's bytes
     */
    public record Layer(LayerDisk disk, Digest verityRoot) {}

    /**
     * One step of the build.
     *
     * @param created EPOCH: not told
     * @param layer the step's layer; empty where it made none
     */
    public record History(
            Instant created,
            String createdBy,
            String author,
            String comment,
            Optional<Layer> layer) {}
}
