package podvm.image;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import podvm.engine.Digest;
import podvm.engine.Image;
import podvm.engine.ImageConfig;
import podvm.engine.PodException;
import podvm.image.content.Json;
import podvm.image.content.Sha256;
import tools.jackson.databind.JsonNode;

/**
 * An image's configuration (OCI image specification, "Image Configuration"; Docker's is the same in
 * what is used of it).
 *
 * @param bytes as published: the image's id is their digest
 * @param diffIds of its layers, lowest first
 * @param variant of the architecture; may be empty
 */
record ConfigFile(
        Digest id,
        byte[] bytes,
        List<Digest> diffIds,
        ImageConfig config,
        Image.Platform platform,
        String variant,
        Instant created) {
    /** What overlayfs stacks (OVL_MAX_STACK in fs/overlayfs is 500), and one for directories. */
    private static final int MOST_LAYERS = 499;

    private static final String PATH =
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /**
     * Lowest first. Of a layer that stands in an image more than once the topmost counts: it hides
     * the others wholly, and a file system cannot be stacked on itself.
     */
    List<Digest> stack() {
        var topmost = new LinkedHashSet<>(diffIds.reversed());
        return List.copyOf(topmost).reversed();
    }

    static ConfigFile parse(byte[] bytes) throws PodException {
        var id = Sha256.of(bytes);
        var root = Json.parse(bytes, "configuration " + id);
        var diffIds = new ArrayList<Digest>();
        for (var text : Json.texts(root.path("rootfs").path("diff_ids"))) {
            diffIds.add(Digest.parse(text));
        }
        if (diffIds.size() > MOST_LAYERS) {
            throw new PodException(
                    PodException.Kind.UNSUPPORTED,
                    "image %s has %d layers; at most %d can be stacked"
                            .formatted(id, diffIds.size(), MOST_LAYERS),
                    "squash the image");
        }
        return new ConfigFile(
                id,
                bytes,
                List.copyOf(diffIds),
                config(root.path("config")),
                new Image.Platform(Json.text(root, "os"), Json.text(root, "architecture")),
                Json.text(root, "variant"),
                time(Json.text(root, "created")));
    }

    /** What a root file system without an image gets: a shell. */
    static ConfigFile ofRootFileSystem(Digest diffId, Image.Platform platform) throws PodException {
        return parse(
                Json.bytes(
                        Map.of(
                                "architecture", platform.architecture(),
                                "os", platform.os(),
                                "config",
                                        Map.of(
                                                "Cmd",
                                                List.of("/bin/sh"),
                                                "Env",
                                                List.of("PATH=" + PATH)),
                                "rootfs",
                                        Map.of(
                                                "type",
                                                "layers",
                                                "diff_ids",
                                                List.of(diffId.toString())))));
    }

    private static ImageConfig config(JsonNode node) {
        return new ImageConfig(
                Json.texts(node.path("Entrypoint")),
                Json.texts(node.path("Cmd")),
                Json.texts(node.path("Env")),
                Json.text(node, "User"),
                Json.text(node, "WorkingDir"),
                Json.text(node, "StopSignal"),
                Json.textMap(node.path("Labels")));
    }

    /** The epoch where it tells none. */
    static Instant time(String text) {
        try {
            return text.isEmpty() ? Instant.EPOCH : OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException e) {
            // it is only shown
            return Instant.EPOCH;
        }
    }
}
