package podvm.engine.pod;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import podvm.engine.Agent;
import podvm.engine.Agent.ContainerPlan;
import podvm.engine.Agent.MountPlan;
import podvm.engine.Agent.MountSource;
import podvm.engine.Agent.ProcessPlan;
import podvm.engine.Agent.Processes;
import podvm.engine.Agent.ResourceLimits;
import podvm.engine.Agent.SecurityPlan;
import podvm.engine.ContainerId;
import podvm.engine.ContainerSpec;
import podvm.engine.ContainerSpec.Resources;
import podvm.engine.HugepageSizes;
import podvm.engine.Image;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodSpec;
import podvm.engine.VolumeSpec;

/** Turns what a manifest and an image say of a container into what the guest must do. */
final class ContainerPlans {
    private static final long CPU_PERIOD_MICROS = 100_000;

    /** A container gets those that it asks for. */
    private static final Map<String, Long> NO_PAGES = Map.of("2MB", 0L);

    private ContainerPlans() {}

    static ContainerPlan of(
            ContainerId id,
            PodSpec pod,
            ContainerSpec container,
            Image image,
            Map<String, String> env,
            MachineSize size)
            throws PodException {
        return new ContainerPlan(
                id,
                image.layers().stream().map(layer -> layer.disk().serial()).toList(),
                container.security().readOnlyRoot(),
                process(pod, container, image, env, size),
                mounts(pod, container),
                limits(container.resources()),
                security(container.security()),
                new Processes.Own(),
                container.stdin(),
                container.stdinOnce(),
                Optional.empty());
    }

    private static ProcessPlan process(
            PodSpec pod,
            ContainerSpec container,
            Image image,
            Map<String, String> env,
            MachineSize size)
            throws PodException {
        return new ProcessPlan(
                args(container, image, env),
                Environment.merge(image, env),
                container.workingDir().orElse(image.config().workingDir()),
                user(container, image),
                container.security().runAsGroup(),
                container.security().supplementalGroups(),
                false,
                container.tty(),
                80,
                24,
                oomScore(pod, container.resources(), size),
                List.of());
    }

    /**
     * Kubernetes' table: command replaces entrypoint and cmd, args replaces cmd. Only what stands
     * in the manifest is expanded.
     */
    private static List<String> args(ContainerSpec container, Image image, Map<String, String> env)
            throws PodException {
        var result = new ArrayList<String>();
        if (container.command().isPresent()) {
            result.addAll(expand(container.command().get(), env));
        } else {
            result.addAll(image.config().entrypoint());
        }
        if (container.args().isPresent()) {
            result.addAll(expand(container.args().get(), env));
        } else if (container.command().isEmpty()) {
            result.addAll(image.config().cmd());
        }
        if (result.isEmpty()) {
            throw new PodException(
                    Kind.INVALID,
                    "container "
                            + container.name()
                            + " has no command: image "
                            + container.image()
                            + " names none either",
                    "set command or args in the manifest");
        }
        return List.copyOf(result);
    }

    private static List<String> expand(List<String> words, Map<String, String> env) {
        return words.stream().map(word -> Environment.expand(word, env)).toList();
    }

    private static String user(ContainerSpec container, Image image) throws PodException {
        var security = container.security();
        var user =
                security.runAsUser()
                        .map(uid -> Integer.toString(uid))
                        .orElse(image.config().user());
        if (security.runAsNonRoot()) {
            var name = user.split(":", 2)[0];
            if (name.isEmpty() || name.equals("0") || name.equals("root")) {
                throw new PodException(
                        Kind.INVALID,
                        "container " + container.name() + " has runAsNonRoot, and its user is root",
                        "set runAsUser to another user");
            }
            if (!name.chars().allMatch(Character::isDigit)) {
                throw new PodException(
                        Kind.INVALID,
                        "container "
                                + container.name()
                                + " has runAsNonRoot, and its image's user is the name "
                                + name
                                + ", which cannot be checked",
                        "set runAsUser to its number");
            }
        }
        return user;
    }

    private static List<MountPlan> mounts(PodSpec pod, ContainerSpec container)
            throws PodException {
        var result = new ArrayList<MountPlan>();
        for (var mount : container.mounts()) {
            var volume = pod.volumes().get(mount.volume());
            var source =
                    switch (volume) {
                        case VolumeSpec.Files _ -> new MountSource.Files(mount.volume());
                        case VolumeSpec.EmptyDir _ -> new MountSource.EmptyDir(mount.volume());
                        case VolumeSpec.Hugepages(var pageBytes) ->
                                new MountSource.Hugepages(mount.volume(), pageBytes);
                        case VolumeSpec.Memory memory ->
                                new MountSource.Memory(mount.volume(), memory.bytes());
                        case null ->
                                throw new PodException(
                                        Kind.INVALID,
                                        "container "
                                                + container.name()
                                                + " mounts volume "
                                                + mount.volume()
                                                + ", which the pod does not have",
                                        "");
                    };
            boolean readOnly = mount.readOnly() || volume instanceof VolumeSpec.Files;
            result.add(new MountPlan(mount.path(), source, readOnly, mount.subPath()));
        }
        return result;
    }

    private static ResourceLimits limits(Resources resources) {
        long quota =
                resources
                        .cpuLimit()
                        .map(millis -> Math.max(1000, millis * CPU_PERIOD_MICROS / 1000))
                        .orElse(0L);
        return new ResourceLimits(
                quota,
                quota == 0 ? 0 : CPU_PERIOD_MICROS,
                CpuWeight.ofMillis(resources.cpuRequest().or(resources::cpuLimit).orElse(0L)),
                resources.memoryLimit().orElse(0L),
                0,
                0,
                HugepageSizes.larger(resources.hugepages(), NO_PAGES));
    }

    /**
     * The kubelet's values: guaranteed -997, best effort 1000, others by their share of the memory.
     * Init containers count for the class of the pod, too.
     */
    private static int oomScore(PodSpec pod, Resources own, MachineSize size) {
        var all =
                Stream.concat(pod.initContainers().stream(), pod.containers().stream())
                        .map(ContainerSpec::resources)
                        .toList();
        boolean guaranteed =
                all.stream()
                        .allMatch(one ->
                                one.cpuLimit().isPresent()
                                        && one.memoryLimit().isPresent()
                                        && one.cpuRequest().or(one::cpuLimit).equals(one.cpuLimit())
                                        && one.memoryRequest()
                                                .or(one::memoryLimit)
                                                .equals(one.memoryLimit()));
        if (guaranteed) {
            return -997;
        }
        boolean bestEffort =
                all.stream()
                        .allMatch(one ->
                                one.cpuLimit().isEmpty()
                                        && one.cpuRequest().isEmpty()
                                        && one.memoryLimit().isEmpty()
                                        && one.memoryRequest().isEmpty());
        if (bestEffort) {
            return 1000;
        }
        long request = own.memoryRequest().or(own::memoryLimit).orElse(0L);
        return Math.clamp(1000 - 1000 * request / (size.memoryMib() * 1024L * 1024), 3, 999);
    }

    private static SecurityPlan security(ContainerSpec.SecuritySpec spec) {
        return new SecurityPlan(
                spec.privileged(),
                Capabilities.of(spec.addCapabilities(), spec.dropCapabilities()),
                List.of(),
                !spec.allowPrivilegeEscalation(),
                spec.seccompUnconfined()
                        ? new Agent.SystemCalls.All()
                        : new Agent.SystemCalls.Usual(),
                Optional.empty());
    }
}
