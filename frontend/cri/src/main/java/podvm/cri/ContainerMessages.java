package podvm.cri;

import podvm.engine.Agent;
import podvm.engine.ContainerConfig;
import podvm.engine.SandboxContainer;
import podvm.proto.cri.v1.Container;
import podvm.proto.cri.v1.ContainerMetadata;
import podvm.proto.cri.v1.ContainerState;
import podvm.proto.cri.v1.ContainerStatus;
import podvm.proto.cri.v1.ImageSpec;
import podvm.proto.cri.v1.LinuxContainerUser;

/** Containers as messages. */
final class ContainerMessages {
    private ContainerMessages() {}

    static ContainerState state(SandboxContainer container) {
        return switch (container.state()) {
            case CREATED -> ContainerState.CONTAINER_CREATED;
            case RUNNING -> ContainerState.CONTAINER_RUNNING;
            case EXITED -> ContainerState.CONTAINER_EXITED;
            case UNKNOWN -> ContainerState.CONTAINER_UNKNOWN;
        };
    }

    static ContainerMetadata metadata(ContainerConfig.Metadata metadata) {
        return ContainerMetadata.newBuilder()
                .setName(metadata.name())
                .setAttempt(metadata.attempt())
                .build();
    }

    /** As the caller named it, with what the user wrote beside. */
    private static ImageSpec image(ContainerConfig config) {
        return ImageSpec.newBuilder()
                .setImage(config.image())
                .setUserSpecifiedImage(config.imageAsked())
                .build();
    }

    static Container item(SandboxContainer container) {
        var config = container.config();
        return Container.newBuilder()
                .setId(container.id().text())
                .setPodSandboxId(container.sandbox().text())
                .setMetadata(metadata(config.metadata()))
                .setImage(image(config))
                .setImageRef(container.imageId().toString())
                .setImageId(container.imageId().toString())
                .setState(state(container))
                .setCreatedAt(Times.nanos(container.created()))
                .putAllLabels(config.labels())
                .putAllAnnotations(config.annotations())
                .build();
    }

    static ContainerStatus status(SandboxContainer container) {
        var config = container.config();
        var message =
                ContainerStatus.newBuilder()
                        .setId(container.id().text())
                        .setMetadata(metadata(config.metadata()))
                        .setState(state(container))
                        .setCreatedAt(Times.nanos(container.created()))
                        .setImage(image(config))
                        .setImageRef(container.imageId().toString())
                        .setImageId(container.imageId().toString())
                        .setReason(container.reason())
                        .setMessage(container.message())
                        .putAllLabels(config.labels())
                        .putAllAnnotations(config.annotations())
                        .addAllMounts(ContainerConfigs.mounts(config))
                        .setStopSignal(StopSignals.message(config.stopSignal()));
        container.started().ifPresent(time -> message.setStartedAt(Times.nanos(time)));
        container.finished().ifPresent(time -> message.setFinishedAt(Times.nanos(time)));
        if (container.state() == SandboxContainer.State.EXITED) {
            message.setExitCode(container.exitCode());
        }
        config.logFile().ifPresent(file -> message.setLogPath(file.toString()));
        message.getResourcesBuilder().setLinux(ContainerConfigs.message(config.resources()));
        container.user().ifPresent(user -> message.getUserBuilder().setLinux(user(user)));
        return message.build();
    }

    private static LinuxContainerUser user(Agent.ResolvedUser user) {
        var message =
                LinuxContainerUser.newBuilder()
                        .setUid(Integer.toUnsignedLong(user.uid()))
                        .setGid(Integer.toUnsignedLong(user.gid()));
        user.gids().forEach(gid -> message.addSupplementalGroups(Integer.toUnsignedLong(gid)));
        return message.build();
    }
}
