package podvm.cri;

import podvm.engine.SandboxSpec;
import podvm.engine.SandboxStatus;
import podvm.proto.cri.v1.NamespaceMode;
import podvm.proto.cri.v1.PodSandbox;
import podvm.proto.cri.v1.PodSandboxMetadata;
import podvm.proto.cri.v1.PodSandboxState;

/** Sandboxes as messages. */
final class SandboxMessages {
    private SandboxMessages() {}

    static PodSandboxMetadata metadata(SandboxSpec.Metadata metadata) {
        return PodSandboxMetadata.newBuilder()
                .setName(metadata.name())
                .setUid(metadata.uid())
                .setNamespace(metadata.namespace())
                .setAttempt(metadata.attempt())
                .build();
    }

    static PodSandboxState state(SandboxStatus status) {
        return switch (status.state()) {
            case READY -> PodSandboxState.SANDBOX_READY;
            case NOT_READY -> PodSandboxState.SANDBOX_NOTREADY;
        };
    }

    static PodSandbox item(SandboxStatus status) {
        var spec = status.spec();
        return PodSandbox.newBuilder()
                .setId(status.id().text())
                .setMetadata(metadata(spec.metadata()))
                .setState(state(status))
                .setCreatedAt(Times.nanos(status.created()))
                .putAllLabels(spec.labels())
                .putAllAnnotations(spec.annotations())
                .setRuntimeHandler(spec.handler())
                .build();
    }

    static podvm.proto.cri.v1.PodSandboxStatus status(SandboxStatus status) {
        var spec = status.spec();
        var message =
                podvm.proto.cri.v1.PodSandboxStatus.newBuilder()
                        .setId(status.id().text())
                        .setMetadata(metadata(spec.metadata()))
                        .setState(state(status))
                        .setCreatedAt(Times.nanos(status.created()))
                        .putAllLabels(spec.labels())
                        .putAllAnnotations(spec.annotations())
                        .setRuntimeHandler(spec.handler());
        var network = message.getNetworkBuilder();
        var ips = status.ips();
        if (!ips.isEmpty()) {
            network.setIp(ips.getFirst());
            ips.stream().skip(1).forEach(ip -> network.addAdditionalIpsBuilder().setIp(ip));
        }
        message.getLinuxBuilder()
                .getNamespacesBuilder()
                .getOptionsBuilder()
                .setNetwork(NamespaceMode.POD)
                .setIpc(NamespaceMode.POD)
                .setPid(NamespaceMode.CONTAINER);
        return message.build();
    }
}
