package podvm.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import podvm.engine.Digest;
import podvm.engine.PodException;
import podvm.image.content.Json;
import podvm.image.content.Sha256;

/**
 * The names of images: one small file each, so that a crash loses at most the one being written.
 */
record ReferenceFiles(StoreFiles files) {
    /**
     * Where a name leads.
     *
     * @param asked by somebody, rather than being the digest that came with a tag
     */
    record Target(Digest image, boolean asked) {}

    /** What cannot be read is removed: its image stays, without this name. */
    Map<String, Target> read() throws IOException {
        var found = new TreeMap<String, Target>();
        for (var file : StoreFiles.list(files.references())) {
            try {
                var node = Json.parse(Files.readAllBytes(file), "reference " + file);
                found.put(
                        Json.text(node, "name"),
                        new Target(
                                Digest.parse(Json.text(node, "image")),
                                node.path("asked").asBoolean(true)));
            } catch (PodException e) {
                Files.delete(file);
            }
        }
        return found;
    }

    void put(String name, Target target) throws IOException {
        files.put(
                file(name),
                Json.bytes(
                        Map.of(
                                "name", name,
                                "image", target.image().toString(),
                                "asked", target.asked())));
    }

    void remove(String name) throws IOException {
        Files.deleteIfExists(file(name));
    }

    private Path file(String name) {
        var digest = Sha256.of(name.getBytes(StandardCharsets.UTF_8));
        return files.references().resolve(digest.hex() + ".json");
    }
}
