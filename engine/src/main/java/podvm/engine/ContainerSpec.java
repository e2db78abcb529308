package podvm.engine;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A container as its manifest asks for it. What is empty is the image's to say.
 *
 * @param command replaces the image's entrypoint, and its cmd too
 * @param args replaces the image's cmd
 */
public record ContainerSpec(
        String name,
        String image,
        PullPolicy pullPolicy,
        Optional<List<String>> command,
        Optional<List<String>> args,
        List<EnvSpec> env,
        Optional<String> workingDir,
        List<MountSpec> mounts,
        Resources resources,
        SecuritySpec security,
        boolean stdin,
        boolean stdinOnce,
        boolean tty) {
    /** One variable; later ones of the same name win, and may use earlier ones as $(NAME). */
    public sealed interface EnvSpec {
        String name();

        /** A text in which $(NAME) may stand. */
        record Text(String name, String value) implements EnvSpec {}

        /** A value taken as it is, from a ConfigMap or Secret. */
        record Verbatim(String name, String value) implements EnvSpec {}

        /**
         * @param path such as "status.podIP" or "metadata.labels['app']"
         */
        record Field(String name, String path) implements EnvSpec {}

        /**
         * @param resource such as "limits.memory"
         * @param divisor in bytes for memory, in thousandths of a CPU for cpu
         */
        record Resource(String name, String container, String resource, long divisor)
                implements EnvSpec {}
    }

    /** Where a volume appears. */
    public record MountSpec(String volume, String path, boolean readOnly, String subPath) {}

    /**
     * Thousandths of a CPU and bytes; empty: not said.
     *
     * @param hugepages bytes by the size's name, as {@link HugepageSizes} has them
     */
    public record Resources(
            Optional<Long> cpuLimit,
            Optional<Long> cpuRequest,
            Optional<Long> memoryLimit,
            Optional<Long> memoryRequest,
            Map<String, Long> hugepages) {
        @SuppressWarnings("NullAway") // a missing part of an older record
        public Resources {
            hugepages = hugepages == null ? Map.of() : Map.copyOf(hugepages);
        }
    }

    /**
     * The pod's and the container's securityContext merged.
     *
     * @param runAsUser empty: the image's user
     * @param addCapabilities without "CAP_"; "ALL" possible
     */
    public record SecuritySpec(
            Optional<Integer> runAsUser,
            Optional<Integer> runAsGroup,
            boolean runAsNonRoot,
            List<Integer> supplementalGroups,
            boolean privileged,
            boolean allowPrivilegeEscalation,
            boolean readOnlyRoot,
            boolean seccompUnconfined,
            Set<String> addCapabilities,
            Set<String> dropCapabilities) {}
}
