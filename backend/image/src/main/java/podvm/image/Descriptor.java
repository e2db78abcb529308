package podvm.image;

import java.util.Map;
import podvm.engine.Digest;
import podvm.engine.PodException;
import podvm.image.content.Json;
import tools.jackson.databind.JsonNode;

/**
 * Points to a blob or manifest (OCI image specification, "Content Descriptors").
 *
 * @param mediaType may be empty
 * @param platform os, architecture and variant; each may be empty
 */
record Descriptor(
        String mediaType,
        Digest digest,
        long size,
        Platform platform,
        Map<String, String> annotations) {
    record Platform(String os, String architecture, String variant) {}

    static Descriptor parse(JsonNode node) throws PodException {
        long size = node.path("size").asLong(-1);
        var digest = Digest.parse(Json.text(node, "digest"));
        if (size < 0) {
            throw new PodException(
                    PodException.Kind.CORRUPT,
                    "descriptor of %s tells no size".formatted(digest),
                    "build the image again");
        }
        var platform = node.path("platform");
        return new Descriptor(
                Json.text(node, "mediaType"),
                digest,
                size,
                new Platform(
                        Json.text(platform, "os"),
                        Json.text(platform, "architecture"),
                        Json.text(platform, "variant")),
                Json.textMap(node.path("annotations")));
    }
}
