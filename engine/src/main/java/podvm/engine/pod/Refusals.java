package podvm.engine.pod;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.Mount;
import podvm.engine.ContainerConfig.MountSource;
import podvm.engine.ContainerConfig.Resources;
import podvm.engine.ContainerConfig.Security;
import podvm.engine.HugepageSizes;
import podvm.engine.NumberList;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * What a guest cannot honour, named field by field before anything is made. What is missing here is
 * honoured, or cannot make a difference in a machine of one's own: labels of SELinux on a mount, a
 * limit of swap where there is no swap.
 */
final class Refusals {
    private static final Set<String> UNIFIED = Set.of("memory.oom.group", "memory.min", "pids.max");

    private final List<String> fields = new ArrayList<>();

    private Refusals() {}

    /** Fails with UNSUPPORTED, and tells all of it at once. */
    static void check(ContainerConfig config) throws PodException {
        var refusals = new Refusals();
        config.mounts().forEach(refusals::mount);
        refusals.resources(config.resources());
        refusals.security(config.security());
        if (!refusals.fields.isEmpty()) {
            throw new PodException(
                    Kind.UNSUPPORTED,
                    "container "
                            + config.metadata().name()
                            + " asks for what its machine cannot do: "
                            + String.join(", ", refusals.fields),
                    "");
        }
        invalid(config);
    }

    private void mount(Mount mount) {
        switch (mount.source()) {
            case MountSource.HostPath _ ->
                    refuse(
                            mount.propagation() == Mount.Propagation.BIDIRECTIONAL,
                            "mounts.propagation (Bidirectional at "
                                    + mount.containerPath()
                                    + ": what is mounted in a machine cannot appear on the host)");
            case MountSource.ImageFiles _,
                    MountSource.Files _,
                    MountSource.EmptyDir _,
                    MountSource.Memory _ -> {
                if (mount.propagation() != Mount.Propagation.PRIVATE) {
                    fields.add("mounts.propagation (" + mount.containerPath() + ")");
                }
            }
        }
    }

    private void resources(Resources resources) {
        resources
                .hugepageLimits()
                .forEach((size, bytes) ->
                        refuse(
                                bytes > 0 && HugepageSizes.bytes(size).isEmpty(),
                                "linux.resources.hugepage_limits ("
                                        + size
                                        + ": a machine's large pages have 2MB or 1GB)"));
        resources
                .unified()
                .forEach((file, value) -> {
                    boolean fits =
                            switch (file) {
                                // the guest has it so, always
                                case "memory.oom.group" -> value.equals("1");
                                // there is no swap
                                case "memory.swap.max" -> true;
                                default -> UNIFIED.contains(file) && bytes(value).isPresent();
                            };
                    refuse(!fits, "linux.resources.unified (" + file + "=" + value + ")");
                });
    }

    private void security(Security security) {
        refuse(
                !security.apparmor().isEmpty() && !security.apparmor().equals("unconfined"),
                "linux.security_context.apparmor (" + security.apparmor() + ")");
        refuse(
                !security.selinux().isEmpty(),
                "linux.security_context.selinux_options (" + security.selinux() + ")");
    }

    private void refuse(boolean when, String field) {
        if (when) {
            fields.add(field);
        }
    }

    /** Empty where it is no number; "max" is 0, not limited. */
    static Optional<Long> bytes(String value) {
        if (value.equals("max")) {
            return Optional.of(0L);
        }
        return value.matches("\\d{1,18}") ? Optional.of(Long.parseLong(value)) : Optional.empty();
    }

    private static void invalid(ContainerConfig config) throws PodException {
        var user = config.security().user();
        if (user.uid().isPresent() && !user.name().isEmpty()) {
            throw invalid(config, "has both a user's number and a name", "give one of them");
        }
        if (user.gid().isPresent() && user.uid().isEmpty() && user.name().isEmpty()) {
            throw invalid(config, "has run_as_group without a user", "give run_as_user as well");
        }
        var _ = NumberList.parse("linux.resources.cpuset_cpus", config.resources().cpusetCpus());
        var _ = NumberList.parse("linux.resources.cpuset_mems", config.resources().cpusetMems());
        if (config.env().stream().anyMatch(one -> one.name().isEmpty())) {
            throw invalid(config, "has a variable without a name", "");
        }
        if (config.logFile().isPresent() && !config.logFile().get().isAbsolute()) {
            throw invalid(config, "has a log path that is not absolute", "");
        }
        // told now rather than when it is to be stopped
        var _ = Signals.parse(config.stopSignal());
    }

    private static PodException invalid(ContainerConfig config, String what, String remedy) {
        return new PodException(
                Kind.INVALID, "container " + config.metadata().name() + " " + what, remedy);
    }
}
