package podvm.cri;

import java.nio.file.Path;
import java.util.function.Supplier;
import podvm.engine.Networks;

/**
 * What the daemon says of itself and of its node.
 *
 * @param imageDirectory where images are kept
 * @param network whether pods can be connected
 * @param details for people who ask for more: one JSON object
 */
public record NodeInfo(
        String version, Path imageDirectory, Network network, Supplier<String> details) {
    /** Is asked anew each time. */
    @FunctionalInterface
    public interface Network {
        Networks.Readiness readiness() throws InterruptedException;
    }
}
