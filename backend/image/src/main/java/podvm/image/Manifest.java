package podvm.image;

import java.util.ArrayList;
import java.util.List;
import podvm.engine.PodException;
import podvm.image.content.Json;
import tools.jackson.databind.JsonNode;

/**
 * What a reference leads to (OCI image specification, "Image Manifest" and "Image Index"; Docker's
 * "Image Manifest Version 2, Schema 2").
 */
sealed interface Manifest {
    /** Enough for any image; registries take at most that much (OCI distribution specification). */
    int LARGEST = 4 << 20;

    /**
     * @param artifactType what else it is, where it is only stored like an image; may be empty
     */
    record OfImage(Descriptor config, List<Descriptor> layers, String artifactType)
            implements Manifest {}

    record Index(List<Descriptor> manifests) implements Manifest {}

    /**
     * @param what it is, for messages
     */
    static Manifest parse(byte[] bytes, String what) throws PodException {
        var root = Json.parse(bytes, what);
        if (root.path("manifests").isArray()) {
            return new Index(descriptors(root.path("manifests")));
        }
        if (root.path("config").isObject() && root.path("layers").isArray()) {
            return new OfImage(
                    Descriptor.parse(root.path("config")),
                    descriptors(root.path("layers")),
                    Json.text(root, "artifactType"));
        }
        var version = root.path("schemaVersion").asInt(0);
        throw new PodException(
                PodException.Kind.UNSUPPORTED,
                "%s is no image manifest or index; it has schema version %d and media type '%s'"
                        .formatted(what, version, Json.text(root, "mediaType")),
                "publish the image in OCI or Docker schema 2 form");
    }

    private static List<Descriptor> descriptors(JsonNode array) throws PodException {
        var list = new ArrayList<Descriptor>();
        for (var node : array) {
            list.add(Descriptor.parse(node));
        }
        return List.copyOf(list);
    }
}
