package podvm.image;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import podvm.engine.Digest;
import podvm.engine.PodException;
import podvm.image.content.Json;

/**
 * What is known of a layer disk since it was written.
 *
 * @param verityRoot root hash of the tree beside the disk, with which damage is found
 */
record LayerRecord(Digest diffId, long bytes, Digest verityRoot) {
    static LayerRecord parse(byte[] json, Path file) throws PodException {
        var node = Json.parse(json, "record " + file);
        return new LayerRecord(
                Digest.parse(Json.text(node, "diffId")),
                node.path("bytes").asLong(-1),
                Digest.parse(Json.text(node, "verityRoot")));
    }

    byte[] json() {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("diffId", diffId.toString());
        fields.put("bytes", bytes);
        fields.put("verityRoot", verityRoot.toString());
        return (new String(Json.bytes(fields), StandardCharsets.UTF_8) + "\n")
                .getBytes(StandardCharsets.UTF_8);
    }
}
