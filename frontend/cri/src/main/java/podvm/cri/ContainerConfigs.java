package podvm.cri;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.PidNamespace;
import podvm.engine.ContainerId;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.proto.cri.v1.LinuxContainerResources;
import podvm.proto.cri.v1.NamespaceMode;
import podvm.proto.cri.v1.NamespaceOption;

/** Reads a container's configuration: behind this point nobody sees the message. */
final class ContainerConfigs {
    private static final String WHERE = "config.linux.security_context.";

    private ContainerConfigs() {}

    /** Finds another container of the pod by its id. */
    interface Targets {
        ContainerId find(String id) throws PodException;
    }

    /**
     * @param logDirectory of its sandbox
     */
    static ContainerConfig read(
            podvm.proto.cri.v1.ContainerConfig config, Optional<Path> logDirectory, Targets targets)
            throws PodException {
        var name = config.getMetadata().getName();
        if (name.isEmpty()) {
            throw new PodException(
                    Kind.INVALID, "a container needs config.metadata with a name", "");
        }
        var image = config.getImage().getImage();
        if (image.isEmpty()) {
            throw new PodException(
                    Kind.INVALID, "container " + name + " has no config.image.image", "");
        }
        var security = config.getLinux().getSecurityContext();
        var asked = config.getImage().getUserSpecifiedImage();
        return new ContainerConfig(
                new ContainerConfig.Metadata(name, config.getMetadata().getAttempt()),
                image,
                asked.isEmpty() ? image : asked,
                config.getCommandList(),
                config.getArgsList(),
                config.getWorkingDir(),
                config.getEnvsList().stream()
                        .map(env -> new ContainerConfig.Variable(env.getKey(), env.getValue()))
                        .toList(),
                Mounts.read(config.getMountsList()),
                config.getDevicesList().stream()
                        .map(device ->
                                new ContainerConfig.Device(
                                        device.getHostPath(),
                                        device.getContainerPath(),
                                        device.getPermissions()))
                        .toList(),
                config.getLabelsMap(),
                config.getAnnotationsMap(),
                logFile(config.getLogPath(), logDirectory),
                config.getStdin(),
                config.getStdinOnce(),
                config.getTty(),
                resources(config.getLinux().getResources()),
                Security.read(security),
                pidNamespace(security.getNamespaceOptions(), targets),
                StopSignals.text(config.getStopSignal()));
    }

    private static Optional<Path> logFile(String logPath, Optional<Path> directory)
            throws PodException {
        if (logPath.isEmpty()) {
            return Optional.empty();
        }
        if (directory.isEmpty()) {
            throw new PodException(
                    Kind.INVALID,
                    "a container with a log_path needs a sandbox with a log_directory",
                    "set log_directory in the sandbox's configuration");
        }
        var file = directory.get().resolve(Paths.any(logPath)).normalize();
        if (!file.startsWith(directory.get().normalize())) {
            throw new PodException(
                    Kind.INVALID, "config.log_path leaves the log directory: " + logPath, "");
        }
        return Optional.of(file);
    }

    static ContainerConfig.Resources resources(LinuxContainerResources resources) {
        var hugepages = new HashMap<String, Long>();
        for (var limit : resources.getHugepageLimitsList()) {
            hugepages.put(limit.getPageSize(), limit.getLimit());
        }
        return new ContainerConfig.Resources(
                resources.getCpuPeriod(),
                resources.getCpuQuota(),
                resources.getCpuShares(),
                resources.getMemoryLimitInBytes(),
                resources.getMemorySwapLimitInBytes(),
                Math.toIntExact(resources.getOomScoreAdj()),
                resources.getCpusetCpus(),
                resources.getCpusetMems(),
                hugepages,
                resources.getUnifiedMap());
    }

    private static PidNamespace pidNamespace(NamespaceOption options, Targets targets)
            throws PodException {
        var where = WHERE + "namespace_options.";
        Namespaces.refuseHost(where, options);
        if (options.getIpc() != NamespaceMode.POD || options.getNetwork() != NamespaceMode.POD) {
            throw Namespaces.unsupported(
                    where + "network and ipc", "a pod's containers share the machine's");
        }
        if (options.getPid() != NamespaceMode.TARGET && !options.getTargetId().isEmpty()) {
            throw new PodException(
                    Kind.INVALID, where + "target_id goes with pid = TARGET", "set both or none");
        }
        return switch (options.getPid()) {
            case POD -> new PidNamespace.Pod();
            case TARGET -> new PidNamespace.Target(targets.find(options.getTargetId()));
            case CONTAINER, NODE, UNRECOGNIZED -> new PidNamespace.Container();
        };
    }

    /** The same the other way, for a container's status. */
    static LinuxContainerResources message(ContainerConfig.Resources resources) {
        var message =
                LinuxContainerResources.newBuilder()
                        .setCpuPeriod(resources.cpuPeriodMicros())
                        .setCpuQuota(resources.cpuQuotaMicros())
                        .setCpuShares(resources.cpuShares())
                        .setMemoryLimitInBytes(resources.memoryBytes())
                        .setMemorySwapLimitInBytes(resources.swapBytes())
                        .setOomScoreAdj(resources.oomScoreAdj())
                        .setCpusetCpus(resources.cpusetCpus())
                        .setCpusetMems(resources.cpusetMems())
                        .putAllUnified(resources.unified());
        resources
                .hugepageLimits()
                .forEach((size, limit) ->
                        message.addHugepageLimitsBuilder().setPageSize(size).setLimit(limit));
        return message.build();
    }

    static List<podvm.proto.cri.v1.Mount> mounts(ContainerConfig config) {
        var mounts = new ArrayList<podvm.proto.cri.v1.Mount>();
        config.mounts().forEach(mount -> mounts.add(Mounts.message(mount)));
        return mounts;
    }
}
