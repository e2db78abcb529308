package podvm.engine;

import java.time.Instant;
import java.util.List;

/**
 * An image that is ready to be mounted.
 *
 * @param id digest of its configuration
 * @param names references that lead to it, fully qualified ("docker.io/library/nginx:1.27"),
 *     sorted; digests included
 * @param layers lowest first
 */
public record Image(
        Digest id,
        List<String> names,
        List<LayerDisk> layers,
        ImageConfig config,
        Platform platform,
        Instant created) {
    public record Platform(String os, String architecture) {}

    /** Bytes its layer disks take on the node, shared ones included. */
    public long diskBytes() {
        return layers.stream().mapToLong(LayerDisk::bytes).sum();
    }
}
