package podvm.network.cni;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Where a node has its networks.
 *
 * @param configuration directory of the networks' files
 * @param plugins directories of the plugins' programs, the first that has one counts
 * @param state directory for the records of connected pods
 * @param resolvConf the host's, for networks that name no name servers
 * @param patience how long a chain of plugins may take to connect a pod, and to undo it
 * @param order whether a machine may boot while its network is made
 */
public record CniOptions(
        Path configuration,
        List<Path> plugins,
        Path state,
        Path resolvConf,
        Duration patience,
        Order order) {
    /** When the plugins are called. */
    public enum Order {
        /** While the machine boots; it has one device then, unless the pod asks for more. */
        BESIDE_BOOT,
        /** Before, so that the machine has as many devices as the plugins make interfaces. */
        BEFORE_BOOT
    }
}
