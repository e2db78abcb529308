package podvm.engine;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import podvm.engine.seccomp.SeccompProfile;

/**
 * A container exactly as it is to be: references are resolved and variables expanded already, and
 * only what is left empty here is the image's to say. What cannot be honoured is refused by the
 * name of its field when the container is made.
 *
 * @param image an image that is on this node: its id, or a reference to it
 * @param imageAsked what the user wrote, for whoever asks later
 * @param command replaces the image's entrypoint, and its cmd too; may be empty
 * @param args replaces the image's cmd; may be empty
 * @param logFile absolute; empty: output is dropped
 * @param stopSignal "SIGINT", "INT" or a number; empty: the image's
 */
public record ContainerConfig(
        Metadata metadata,
        String image,
        String imageAsked,
        List<String> command,
        List<String> args,
        String workingDir,
        List<Variable> env,
        List<Mount> mounts,
        List<Device> devices,
        Map<String, String> labels,
        Map<String, String> annotations,
        Optional<Path> logFile,
        boolean stdin,
        boolean stdinOnce,
        boolean tty,
        Resources resources,
        Security security,
        PidNamespace pidNamespace,
        String stopSignal) {

    /** The same container with other mounts. */
    public ContainerConfig with(List<Mount> others) {
        return with(others, resources);
    }

    /** The same container with other limits. */
    public ContainerConfig with(Resources others) {
        return with(mounts, others);
    }

    private ContainerConfig with(List<Mount> otherMounts, Resources otherResources) {
        return new ContainerConfig(
                metadata,
                image,
                imageAsked,
                command,
                args,
                workingDir,
                env,
                List.copyOf(otherMounts),
                devices,
                labels,
                annotations,
                logFile,
                stdin,
                stdinOnce,
                tty,
                otherResources,
                security,
                pidNamespace,
                stopSignal);
    }

    /** Unique in its sandbox. */
    public record Metadata(String name, int attempt) {}

    public record Variable(String name, String value) {}

    /**
     * @param containerPath absolute
     * @param subPath below the source; may be empty
     * @param recursiveReadOnly mounts below the source are read-only as well
     */
    public record Mount(
            String containerPath,
            MountSource source,
            String subPath,
            boolean readOnly,
            boolean recursiveReadOnly,
            Propagation propagation,
            boolean selinuxRelabel) {
        /** The same mount of something else. */
        public Mount of(MountSource other) {
            return new Mount(
                    containerPath,
                    other,
                    subPath,
                    readOnly,
                    recursiveReadOnly,
                    propagation,
                    selinuxRelabel);
        }

        public enum Propagation {
            PRIVATE,
            HOST_TO_CONTAINER,
            BIDIRECTIONAL
        }
    }

    /** What a mount shows. */
    public sealed interface MountSource {
        /** Files copied into the guest when the container is made; one of that name is replaced. */
        record Files(String name, List<Agent.VolumeFile> files) implements MountSource {}

        /** A directory on the pod's own disk, shared by all containers that name it. */
        record EmptyDir(String name) implements MountSource {}

        /** A tmpfs in the guest, shared likewise; 0: no limit of its own. */
        record Memory(String name, long bytes) implements MountSource {}

        /** A file or directory of the node. */
        record HostPath(Path path) implements MountSource {}

        /**
         * The files of an image, which is read-only in each case.
         *
         * @param image a name or an id
         * @param id which one it is, once that is known
         */
        record ImageFiles(String image, Optional<Digest> id) implements MountSource {}
    }

    /**
     * @param permissions of "r", "w" and "m"
     */
    public record Device(String hostPath, String containerPath, String permissions) {}

    /**
     * As the kubelet says it, in terms of cgroup v1; 0: not limited.
     *
     * @param cpuQuotaMicros -1 as well: not limited
     * @param memoryBytes at most
     * @param swapBytes memory and swap together; a guest has no swap
     * @param cpusetCpus such as "0-1"; empty: all
     * @param hugepageLimits bytes by page size ("2MB")
     * @param unified cgroup v2 files and what to write into them
     */
    public record Resources(
            long cpuPeriodMicros,
            long cpuQuotaMicros,
            long cpuShares,
            long memoryBytes,
            long swapBytes,
            int oomScoreAdj,
            String cpusetCpus,
            String cpusetMems,
            Map<String, Long> hugepageLimits,
            Map<String, String> unified) {
        public static final Resources NONE =
                new Resources(0, 0, 0, 0, 0, 0, "", "", Map.of(), Map.of());
    }

    /**
     * @param user whom it runs as
     * @param addCapabilities without "CAP_"; "ALL" possible
     * @param addAmbientCapabilities also for a user other than root; each is added as well
     * @param maskedPaths as they are: empty masks nothing; a privileged container has none
     * @param readOnlyPaths likewise
     * @param apparmor profile; empty or "unconfined": none
     * @param selinux label; empty: none
     */
    public record Security(
            boolean privileged,
            User user,
            List<Integer> supplementalGroups,
            GroupsPolicy groupsPolicy,
            Set<String> addCapabilities,
            Set<String> dropCapabilities,
            Set<String> addAmbientCapabilities,
            boolean readOnlyRoot,
            boolean noNewPrivileges,
            List<String> maskedPaths,
            List<String> readOnlyPaths,
            Seccomp seccomp,
            String apparmor,
            String selinux) {
        /** What the kubelet has hidden in a container that asks for nothing else. */
        public static final List<String> USUALLY_MASKED =
                List.of(
                        "/proc/asound",
                        "/proc/acpi",
                        "/proc/interrupts",
                        "/proc/kcore",
                        "/proc/keys",
                        "/proc/latency_stats",
                        "/proc/timer_list",
                        "/proc/timer_stats",
                        "/proc/sched_debug",
                        "/proc/scsi",
                        "/sys/firmware",
                        "/sys/devices/virtual/powercap");

        public static final List<String> USUALLY_READ_ONLY =
                List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

        /** Root's usual container: nothing added, nothing dropped, the usual paths hidden. */
        public static final Security USUAL =
                new Security(
                        false,
                        User.IMAGES,
                        List.of(),
                        GroupsPolicy.MERGE,
                        Set.of(),
                        Set.of(),
                        Set.of(),
                        false,
                        false,
                        USUALLY_MASKED,
                        USUALLY_READ_ONLY,
                        new Seccomp.RuntimeDefault(),
                        "",
                        "");
    }

    /**
     * At most one of uid and name.
     *
     * @param gid only with uid or name
     * @param name looked up in the image
     */
    public record User(Optional<Integer> uid, Optional<Integer> gid, String name) {
        public static final User IMAGES = new User(Optional.empty(), Optional.empty(), "");
    }

    public enum GroupsPolicy {
        /** Those that the image's /etc/group has for the user, too. */
        MERGE,
        STRICT
    }

    /** Which system calls may be made. */
    public sealed interface Seccomp {
        record RuntimeDefault() implements Seccomp {}

        record Unconfined() implements Seccomp {}

        /** A profile of the node. */
        record Localhost(SeccompProfile profile) implements Seccomp {}
    }

    /** Whose processes it sees. */
    public sealed interface PidNamespace {
        /** Its own ones. */
        record Container() implements PidNamespace {}

        /** Those of all containers of its pod. */
        record Pod() implements PidNamespace {}

        /** Those of one other container of its pod. */
        record Target(ContainerId container) implements PidNamespace {}
    }
}
