package podvm.engine;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import podvm.engine.NetworkRequest.Dns;
import podvm.engine.NetworkRequest.PortMapping;

/**
 * A pod without its containers, as whoever runs containers in it asks for it.
 *
 * @param handler the CRI runtime handler it was asked for with; empty: the default one
 * @param hostname empty: the pod's name
 * @param logDirectory where the containers' logs are; empty: they need not be kept
 * @param dns where it says anything, all of /etc/resolv.conf
 * @param sysctls names with dots, of namespaces that the pod has for itself
 * @param group empty: the machine's process stays in the daemon's cgroup
 * @param users of all its containers; empty: they are the machine's
 */
public record SandboxSpec(
        Metadata metadata,
        String handler,
        String hostname,
        Optional<Path> logDirectory,
        Dns dns,
        List<PortMapping> ports,
        Map<String, String> labels,
        Map<String, String> annotations,
        Map<String, String> sysctls,
        Limits limits,
        Optional<NodeGroup> group,
        Optional<UserMapping> users) {

    /** What makes a sandbox unique: a second one with the same is refused. */
    public record Metadata(String name, String uid, String namespace, int attempt) {
        @Override
        public String toString() {
            return namespace + "/" + name;
        }
    }

    /**
     * What the limits of the containers that have one add up to: whether all have one is not told.
     * A machine is therefore never made smaller than the node's default, and larger where this asks
     * for it.
     *
     * @param cpuMillis thousandths of a CPU
     * @param overheadBytes of memory, beside the containers
     * @param hugepages bytes of large pages, beside the memory, by the size's name ("2MB")
     */
    public record Limits(
            Optional<Long> cpuMillis,
            Optional<Long> memoryBytes,
            long overheadBytes,
            Map<String, Long> hugepages) {
        public static final Limits NONE =
                new Limits(Optional.empty(), Optional.empty(), 0, Map.of());

        @SuppressWarnings("NullAway") // a missing part of an older record
        public Limits {
            hugepages = hugepages == null ? Map.of() : Map.copyOf(hugepages);
        }
    }
}
