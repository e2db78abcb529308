package podvm.cri;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What the daemon says of itself and of its node.
 *
 * @param imageDirectory where images are kept
 * @param network why pods cannot be connected; empty: they can
 * @param details for people who ask for more: one JSON object
 */
public record NodeInfo(
        String version,
        Path imageDirectory,
        Supplier<Optional<Trouble>> network,
        Supplier<String> details) {
    /**
     * @param reason one word
     */
    public record Trouble(String reason, String message) {}
}
