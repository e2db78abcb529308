package podvm.cri;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import podvm.engine.HugepageSizes;
import podvm.engine.NetworkRequest;
import podvm.engine.NetworkRequest.Dns;
import podvm.engine.NetworkRequest.PortMapping.Protocol;
import podvm.engine.NodeGroup;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.SandboxSpec;
import podvm.proto.cri.v1.DNSConfig;
import podvm.proto.cri.v1.LinuxPodSandboxConfig;
import podvm.proto.cri.v1.NamespaceMode;
import podvm.proto.cri.v1.NamespaceOption;
import podvm.proto.cri.v1.PodSandboxConfig;
import podvm.proto.cri.v1.PodSandboxMetadata;
import podvm.proto.cri.v1.PortMapping;
import podvm.proto.cri.v1.RunPodSandboxRequest;

/** Reads a sandbox's configuration: behind this point nobody sees the message. */
final class SandboxSpecs {
    private static final long DEFAULT_CPU_PERIOD = 100_000;

    private SandboxSpecs() {}

    /**
     * @param handlers that lead to this kind of machine
     */
    static SandboxSpec read(RunPodSandboxRequest request, Set<String> handlers)
            throws PodException {
        if (!handlers.contains(request.getRuntimeHandler())) {
            throw new PodException(
                    Kind.INVALID,
                    "there is no runtime handler '" + request.getRuntimeHandler() + "'",
                    "use '' or podvm in the RuntimeClass");
        }
        var config = request.getConfig();
        var linux = config.getLinux();
        checkNamespaces(linux.getSecurityContext().getNamespaceOptions());
        return new SandboxSpec(
                metadata(config.getMetadata()),
                request.getRuntimeHandler(),
                config.getHostname(),
                path(config.getLogDirectory()),
                dns(config.getDnsConfig()),
                ports(config),
                config.getLabelsMap(),
                config.getAnnotationsMap(),
                linux.getSysctlsMap(),
                limits(linux),
                group(linux),
                UserNamespaces.read(
                        "config.linux.security_context.namespace_options.",
                        linux.getSecurityContext().getNamespaceOptions()));
    }

    private static SandboxSpec.Metadata metadata(PodSandboxMetadata metadata) throws PodException {
        if (metadata.getName().isEmpty()
                || metadata.getNamespace().isEmpty()
                || metadata.getUid().isEmpty()) {
            throw new PodException(
                    Kind.INVALID,
                    "a sandbox needs config.metadata with name, uid and namespace",
                    "see PodSandboxConfig");
        }
        return new SandboxSpec.Metadata(
                metadata.getName(),
                metadata.getUid(),
                metadata.getNamespace(),
                metadata.getAttempt());
    }

    static Optional<Path> path(String text) throws PodException {
        if (text.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(Paths.absolute(text));
    }

    private static Dns dns(DNSConfig dns) {
        return new Dns(dns.getServersList(), dns.getSearchesList(), dns.getOptionsList());
    }

    private static List<NetworkRequest.PortMapping> ports(PodSandboxConfig config)
            throws PodException {
        var ports = new ArrayList<NetworkRequest.PortMapping>();
        for (var port : config.getPortMappingsList()) {
            ports.add(
                    new NetworkRequest.PortMapping(
                            protocol(port),
                            number(port.getContainerPort()),
                            number(port.getHostPort()),
                            port.getHostIp()));
        }
        return List.copyOf(ports);
    }

    private static int number(int port) throws PodException {
        if (port < 0 || port > 65_535) {
            throw new PodException(Kind.INVALID, "not a port: " + port, "use 0 to 65535");
        }
        return port;
    }

    private static Protocol protocol(PortMapping port) throws PodException {
        return switch (port.getProtocol()) {
            case TCP -> Protocol.TCP;
            case UDP -> Protocol.UDP;
            case SCTP -> Protocol.SCTP;
            case UNRECOGNIZED ->
                    throw new PodException(
                            Kind.INVALID,
                            "unknown protocol " + port.getProtocolValue() + " of a port mapping",
                            "use TCP, UDP or SCTP");
        };
    }

    private static SandboxSpec.Limits limits(LinuxPodSandboxConfig linux) {
        var resources = linux.getResources();
        long period = resources.getCpuPeriod() > 0 ? resources.getCpuPeriod() : DEFAULT_CPU_PERIOD;
        return new SandboxSpec.Limits(
                resources.getCpuQuota() > 0
                        ? Optional.of(Math.ceilDiv(resources.getCpuQuota() * 1000, period))
                        : Optional.empty(),
                resources.getMemoryLimitInBytes() > 0
                        ? Optional.of(resources.getMemoryLimitInBytes())
                        : Optional.empty(),
                linux.getOverhead().getMemoryLimitInBytes(),
                HugepageSizes.sum(List.of(ContainerConfigs.resources(resources).hugepageLimits())));
    }

    private static Optional<NodeGroup> group(LinuxPodSandboxConfig linux) {
        var shares = linux.getResources().getCpuShares() + linux.getOverhead().getCpuShares();
        return linux.getCgroupParent().isEmpty()
                ? Optional.empty()
                : Optional.of(
                        new NodeGroup(
                                linux.getCgroupParent(),
                                Math.max(0, shares),
                                linux.getOverhead().getMemoryLimitInBytes() > 0));
    }

    /** A pod in a machine of its own has a network, an IPC and a PID namespace: the machine's. */
    private static void checkNamespaces(NamespaceOption options) throws PodException {
        var where = "config.linux.security_context.namespace_options.";
        Namespaces.refuseHost(where, options);
        if (options.getIpc() != NamespaceMode.POD || options.getNetwork() != NamespaceMode.POD) {
            throw Namespaces.unsupported(
                    where + "network and ipc", "a pod's containers share the machine's");
        }
        if (options.getPid() == NamespaceMode.TARGET || !options.getTargetId().isEmpty()) {
            throw new PodException(
                    Kind.INVALID, where + "target_id is for containers", "leave it unset");
        }
    }
}
