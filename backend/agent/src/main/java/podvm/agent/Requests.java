package podvm.agent;

import com.google.protobuf.ByteString;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import podvm.engine.Agent;
import podvm.engine.Agent.ContainerPlan;
import podvm.engine.Agent.MountPlan;
import podvm.engine.Agent.MountSource;
import podvm.engine.Agent.ProcessPlan;
import podvm.engine.Agent.Processes;
import podvm.engine.Agent.ResourceLimits;
import podvm.engine.Agent.SandboxSetup;
import podvm.engine.Agent.SecurityPlan;
import podvm.engine.Agent.SystemCalls;
import podvm.engine.Agent.VolumeFile;
import podvm.engine.ContainerId;
import podvm.engine.HugepageSizes;
import podvm.engine.PodNetwork;
import podvm.proto.agent.v1.CgroupSetting;
import podvm.proto.agent.v1.ConfigureSandboxRequest;
import podvm.proto.agent.v1.CreateContainerRequest;
import podvm.proto.agent.v1.ExecRequest;
import podvm.proto.agent.v1.ExecStart;
import podvm.proto.agent.v1.GuardedPaths;
import podvm.proto.agent.v1.HugepageMount;
import podvm.proto.agent.v1.ImageMount;
import podvm.proto.agent.v1.Mount;
import podvm.proto.agent.v1.Neighbor;
import podvm.proto.agent.v1.NetworkInterface;
import podvm.proto.agent.v1.PidNamespace;
import podvm.proto.agent.v1.Process;
import podvm.proto.agent.v1.Propagation;
import podvm.proto.agent.v1.PutVolumeRequest;
import podvm.proto.agent.v1.Resources;
import podvm.proto.agent.v1.Rlimit;
import podvm.proto.agent.v1.RootFilesystem;
import podvm.proto.agent.v1.Route;
import podvm.proto.agent.v1.SeccompMode;
import podvm.proto.agent.v1.Security;
import podvm.proto.agent.v1.ShareMount;
import podvm.proto.agent.v1.TerminalSize;
import podvm.proto.agent.v1.Tmpfs;
import podvm.proto.agent.v1.User;
import podvm.proto.agent.v1.UserNamespace;

/** The engine's plans as messages. */
final class Requests {
    /** Twice what the kernel's random pool holds. */
    private static final int SEED_BYTES = 64;

    private Requests() {}

    static ConfigureSandboxRequest configure(SandboxSetup setup, SecureRandom random) {
        var seed = new byte[SEED_BYTES];
        random.nextBytes(seed);
        var now = Instant.now();
        return ConfigureSandboxRequest.newBuilder()
                .setHostname(setup.hostname())
                .setDomainname(setup.domainname())
                .setHostsFile(ByteString.copyFromUtf8(setup.hostsFile()))
                .setResolvConfFile(ByteString.copyFromUtf8(setup.resolvConf()))
                .addAllInterfaces(setup.interfaces().stream().map(Requests::network).toList())
                .setNowUnixNs(TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano())
                .setRandomSeed(ByteString.copyFrom(seed))
                .putAllSysctls(setup.sysctls())
                .setScratchDiskSerial(setup.scratchSerial())
                .setShmSizeBytes(setup.shmBytes())
                .build();
    }

    private static NetworkInterface network(PodNetwork.Interface network) {
        var message =
                NetworkInterface.newBuilder()
                        .setMac(network.mac())
                        .setAddress(network.address())
                        .setName(network.name())
                        .addAllAddresses(network.addresses())
                        .setMtu(network.mtu());
        for (var route : network.routes()) {
            message.addRoutes(
                    Route.newBuilder()
                            .setDestination(route.destination())
                            .setGateway(route.gateway())
                            .setMetric(route.metric())
                            .setOnLink(route.onLink())
                            .setSource(route.source())
                            .setMtu(route.mtu()));
        }
        for (var neighbor : network.neighbors()) {
            message.addNeighbors(Neighbor.newBuilder().setIp(neighbor.ip()).setMac(neighbor.mac()));
        }
        return message.build();
    }

    static PutVolumeRequest volume(String name, List<VolumeFile> files) {
        var message = PutVolumeRequest.newBuilder().setName(name);
        for (var file : files) {
            message.addFiles(
                    podvm.proto.agent.v1.VolumeFile.newBuilder()
                            .setPath(file.path())
                            .setContent(ByteString.copyFrom(file.content()))
                            .setMode(file.mode())
                            .setUid(file.uid())
                            .setGid(file.gid()));
        }
        return message.build();
    }

    static CreateContainerRequest create(ContainerPlan plan) {
        var message =
                CreateContainerRequest.newBuilder()
                        .setId(plan.id().text())
                        .setRoot(
                                RootFilesystem.newBuilder()
                                        .addAllLayerSerials(plan.layerSerials())
                                        .setReadOnly(plan.readOnlyRoot()))
                        .setProcess(process(plan.process()))
                        .addAllMounts(plan.mounts().stream().map(Requests::mount).toList())
                        .setResources(resources(plan.limits()))
                        .setSecurity(security(plan.security()))
                        .setStdin(plan.stdin())
                        .setStdinOnce(plan.stdinOnce());
        switch (plan.processes()) {
            case Processes.Own _ -> {}
            case Processes.OfPod _ ->
                    message.setPidNamespace(PidNamespace.newBuilder().setPod(true));
            case Processes.Of(var other) ->
                    message.setPidNamespace(PidNamespace.newBuilder().setContainer(other.text()));
        }
        plan.users()
                .ifPresent(users ->
                        message.setUserNamespace(
                                UserNamespace.newBuilder()
                                        .setFirstUid(users.firstUid())
                                        .setFirstGid(users.firstGid())
                                        .setLength(users.length())));
        return message.build();
    }

    static ExecRequest exec(ContainerId container, ProcessPlan process, boolean stdin) {
        return ExecRequest.newBuilder()
                .setStart(
                        ExecStart.newBuilder()
                                .setContainerId(container.text())
                                .setProcess(process(process))
                                .setStdin(stdin))
                .build();
    }

    static TerminalSize size(int columns, int rows) {
        return TerminalSize.newBuilder().setColumns(columns).setRows(rows).build();
    }

    private static Process process(ProcessPlan plan) {
        var message =
                Process.newBuilder()
                        .addAllArgs(plan.args())
                        .addAllEnv(plan.env())
                        .setWorkingDir(plan.workingDir())
                        .setTerminal(plan.terminal())
                        .setOomScoreAdj(plan.oomScoreAdj());
        for (var limit : plan.rlimits()) {
            message.addRlimits(
                    Rlimit.newBuilder()
                            .setName(limit.name())
                            .setSoft(limit.soft())
                            .setHard(limit.hard()));
        }
        if (plan.columns() > 0 && plan.rows() > 0) {
            message.setTerminalSize(size(plan.columns(), plan.rows()));
        }
        // an exec without a user of its own runs as the container's user
        if (!plan.user().isEmpty()
                || plan.gid().isPresent()
                || plan.strictGroups()
                || !plan.supplementalGids().isEmpty()) {
            var user =
                    User.newBuilder()
                            .setUser(plan.user())
                            .addAllSupplementalGids(plan.supplementalGids())
                            .setStrictGroups(plan.strictGroups());
            plan.gid().ifPresent(user::setGid);
            message.setUser(user);
        }
        return message.build();
    }

    private static Mount mount(MountPlan plan) {
        var message =
                Mount.newBuilder()
                        .setDestination(plan.destination())
                        .setReadOnly(plan.readOnly())
                        .setSubPath(plan.subPath());
        return switch (plan.source()) {
            case MountSource.Files(var volume) -> message.setVolume(volume).build();
            case MountSource.EmptyDir(var name) -> message.setEmptyDir(name).build();
            case MountSource.Memory(var name, var bytes) ->
                    message.setTmpfs(Tmpfs.newBuilder().setName(name).setSizeBytes(bytes)).build();
            case MountSource.Hugepages(var name, var pageBytes) ->
                    message.setHugepages(
                                    HugepageMount.newBuilder()
                                            .setName(name)
                                            .setPageBytes(pageBytes))
                            .build();
            case MountSource.Socket(var name) -> message.setSocket(name).build();
            case MountSource.DeviceFile(var serial) -> message.setDiskSerial(serial).build();
            case MountSource.ImageLayers(var serials) ->
                    message.setImage(ImageMount.newBuilder().addAllLayerSerials(serials)).build();
            case MountSource.Share(var name, var propagation) ->
                    message.setShare(
                                    ShareMount.newBuilder()
                                            .setName(name)
                                            .setPropagation(propagation(propagation)))
                            .build();
        };
    }

    private static Propagation propagation(Agent.Propagation propagation) {
        return switch (propagation) {
            case NONE -> Propagation.PROPAGATION_PRIVATE;
            case HOST_TO_CONTAINER -> Propagation.PROPAGATION_HOST_TO_CONTAINER;
            case BIDIRECTIONAL -> Propagation.PROPAGATION_BIDIRECTIONAL;
        };
    }

    private static Resources resources(ResourceLimits limits) {
        return Resources.newBuilder()
                .setCpuQuotaUs(limits.cpuQuotaMicros())
                .setCpuPeriodUs(limits.cpuPeriodMicros())
                .setCpuWeight(limits.cpuWeight())
                .setMemoryMaxBytes(limits.memoryMaxBytes())
                .setMemoryMinBytes(limits.memoryMinBytes())
                .setPidsMax(limits.pidsMax())
                .addAllSettings(hugepages(limits.hugepages()))
                .build();
    }

    /** The reservation first: a program that maps more than it may is told so then. */
    private static List<CgroupSetting> hugepages(Map<String, Long> limits) {
        var settings = new ArrayList<CgroupSetting>();
        for (var limit : limits.entrySet()) {
            // what has another name never has pages here
            if (HugepageSizes.bytes(limit.getKey()).isPresent()) {
                for (var file : List.of("rsvd.max", "max")) {
                    settings.add(
                            CgroupSetting.newBuilder()
                                    .setFile("hugetlb." + limit.getKey() + "." + file)
                                    .setValue(Long.toString(limit.getValue()))
                                    .build());
                }
            }
        }
        return settings;
    }

    private static Security security(SecurityPlan plan) {
        var message =
                Security.newBuilder()
                        .setPrivileged(plan.privileged())
                        .addAllCapabilities(plan.capabilities())
                        .setNoNewPrivileges(plan.noNewPrivileges())
                        .addAllAmbientCapabilities(plan.ambient());
        switch (plan.calls()) {
            case SystemCalls.Usual _ -> message.setSeccomp(SeccompMode.SECCOMP_MODE_DEFAULT);
            case SystemCalls.All _ -> message.setSeccomp(SeccompMode.SECCOMP_MODE_UNCONFINED);
            case SystemCalls.Filtered(var program) ->
                    message.setSeccomp(SeccompMode.SECCOMP_MODE_FILTER)
                            .setSeccompFilter(ByteString.copyFrom(program));
        }
        plan.guarded()
                .ifPresent(paths ->
                        message.setGuardedPaths(
                                GuardedPaths.newBuilder()
                                        .addAllMasked(paths.masked())
                                        .addAllReadOnly(paths.readOnly())));
        return message.build();
    }
}
