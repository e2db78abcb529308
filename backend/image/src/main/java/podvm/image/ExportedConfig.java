package podvm.image;

import java.util.List;
import podvm.engine.Digest;
import podvm.engine.PodException;
import podvm.image.content.Json;
import tools.jackson.databind.node.ObjectNode;

/** An image's configuration for layers whose tars were made again. */
final class ExportedConfig {
    private ExportedConfig() {}

    /** Byte for byte the one that was published, where the tars came out the same. */
    static byte[] of(ConfigFile config, List<Digest> diffIds) throws PodException {
        if (diffIds.equals(config.diffIds())) {
            return config.bytes();
        }
        var root = Json.parse(config.bytes(), "configuration " + config.id());
        if (root.path("rootfs") instanceof ObjectNode rootfs) {
            var array = rootfs.putArray("diff_ids");
            diffIds.forEach(diffId -> array.add(diffId.toString()));
        }
        return Json.bytes(root);
    }
}
