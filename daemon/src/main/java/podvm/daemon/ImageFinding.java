package podvm.daemon;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import podvm.engine.Digest;
import podvm.engine.Finding;
import podvm.engine.Images;
import podvm.engine.PodException;

/** What doctor says of images: how much room they take, and which are trusted. */
final class ImageFinding {
    private static final long MB = 1_000_000;

    private ImageFinding() {}

    static Finding of(Images images, Optional<Path> policy) {
        try {
            var all = images.list();
            Map<Digest, Long> layers = new HashMap<>();
            all.forEach(image ->
                    image.layers().forEach(disk -> layers.put(disk.diffId(), disk.bytes())));
            long bytes = layers.values().stream().mapToLong(Long::longValue).sum();
            return new Finding(
                    "images",
                    Finding.State.OK,
                    "",
                    "%d in %d layers of %d MB; %s"
                            .formatted(all.size(), layers.size(), bytes / MB, trust(policy)),
                    "");
        } catch (PodException e) {
            return new Finding(
                    "images",
                    Finding.State.WARNING,
                    "",
                    String.valueOf(e.getMessage()),
                    e.remedy());
        }
    }

    private static String trust(Optional<Path> policy) {
        return policy.map(file -> "pulled as " + file + " allows")
                .orElse("any image is accepted, since image.policy is not set");
    }
}
