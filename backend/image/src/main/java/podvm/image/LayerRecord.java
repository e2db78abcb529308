package podvm.image;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import podvm.engine.Digest;
import podvm.engine.PodException;
import podvm.image.content.Json;

/**
 * What is known of a layer disk since it was written.
 *
 * @param verityRoot root hash of the tree beside the disk, with which damage is found
 * @param implied directories that its tar had no entries for; none in records of before they were
 *     listed
 */
record LayerRecord(Digest diffId, long bytes, Digest verityRoot, List<String> implied) {
    static LayerRecord parse(byte[] json, Path file) throws PodException {
        var node = Json.parse(json, "record " + file);
        return new LayerRecord(
                Digest.parse(Json.text(node, "diffId")),
                node.path("bytes").asLong(-1),
                Digest.parse(Json.text(node, "verityRoot")),
                List.copyOf(Json.texts(node.path("implied"))));
    }

    byte[] json() {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("diffId", diffId.toString());
        fields.put("bytes", bytes);
        fields.put("verityRoot", verityRoot.toString());
        fields.put("implied", implied);
        return (new String(Json.bytes(fields), StandardCharsets.UTF_8) + "\n")
                .getBytes(StandardCharsets.UTF_8);
    }
}
