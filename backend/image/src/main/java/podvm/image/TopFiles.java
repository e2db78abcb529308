package podvm.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import podvm.engine.Digest;
import podvm.engine.PodException;
import podvm.image.content.Json;

/** Which images have a layer of directories on top: one small file for each that has. */
record TopFiles(StoreFiles files) {
    /** What cannot be read is removed: the image stays, without that layer. */
    Map<Digest, Digest> read() throws IOException {
        var found = new HashMap<Digest, Digest>();
        for (var file : StoreFiles.list(files.tops())) {
            try {
                var node = Json.parse(Files.readAllBytes(file), "record " + file);
                found.put(
                        new Digest(file.getFileName().toString()),
                        Digest.parse(Json.text(node, "diffId")));
            } catch (PodException e) {
                Files.delete(file);
            }
        }
        return found;
    }

    void set(Digest image, Optional<Digest> top) throws IOException {
        if (top.isPresent()) {
            files.put(file(image), Json.bytes(Map.of("diffId", top.get().toString())));
        } else {
            Files.deleteIfExists(file(image));
        }
    }

    private Path file(Digest image) {
        return files.tops().resolve(image.hex());
    }
}
