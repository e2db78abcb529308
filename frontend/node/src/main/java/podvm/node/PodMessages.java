package podvm.node;

import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import podvm.engine.ContainerId;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState;
import podvm.engine.PodStatus.ContainerStatus;
import podvm.engine.SandboxId;
import podvm.proto.node.v1.Container;
import podvm.proto.node.v1.Pod;
import podvm.proto.node.v1.Stage;

/** Pods as the wire has them. */
final class PodMessages {
    private PodMessages() {}

    static Pod pod(PodStatus status) {
        var spec = status.spec();
        var pod =
                Pod.newBuilder()
                        .setId(status.id().text())
                        .setNamespace(spec.namespace())
                        .setName(spec.name())
                        .putAllLabels(spec.labels())
                        .putAllAnnotations(spec.annotations())
                        .setPhase(capitalized(status.phase().name()))
                        .setReason(status.reason())
                        .setMessage(status.message())
                        .setConsole(status.console())
                        .setCreatedUnixNs(nanos(status.created()))
                        .setFinishedUnixNs(status.finished().map(PodMessages::nanos).orElse(0L))
                        .addAllIps(status.ips())
                        .setRestartPolicy(restartPolicy(status))
                        .setHostname(spec.hostname())
                        .setManager(manager(status))
                        .setSandboxId(status.sandbox().map(SandboxId::text).orElse(""));
        status.size().ifPresent(size -> pod.setVcpus(size.vcpus()).setMemoryMib(size.memoryMib()));
        status.agentRssBytes().ifPresent(pod::setAgentRssBytes);
        status.containers().forEach(container -> pod.addContainers(container(container)));
        status.timeline()
                .forEach(stage ->
                        pod.addTimeline(
                                Stage.newBuilder()
                                        .setName(stage.name())
                                        .setAtUnixNs(nanos(stage.at()))));
        if (status.phase().ended()) {
            pod.setExitCode(status.exitCode());
        }
        return pod.build();
    }

    static String manager(PodStatus status) {
        return status.sandbox().isPresent() ? "kubelet" : "podvm";
    }

    /** A kubelet keeps to itself what it will start again. */
    private static String restartPolicy(PodStatus status) {
        if (status.sandbox().isPresent()) {
            return "";
        }
        return switch (status.spec().restartPolicy()) {
            case ALWAYS -> "Always";
            case ON_FAILURE -> "OnFailure";
            case NEVER -> "Never";
        };
    }

    private static Container container(ContainerStatus status) {
        var container =
                Container.newBuilder()
                        .setName(status.name())
                        .setInit(status.init())
                        .setImage(status.image())
                        .setImageId(status.imageId())
                        .setId(status.id().map(ContainerId::text).orElse(""))
                        .setRestarts(status.restarts());
        status.last()
                .ifPresent(last ->
                        container.setLastReason(last.reason()).setLastExitCode(last.exitCode()));
        switch (status.state()) {
            case ContainerState.Waiting(var reason, var message) ->
                    container.setState("waiting").setReason(reason).setMessage(message);
            case ContainerState.Running(var started) ->
                    container.setState("running").setStartedUnixNs(nanos(started));
            case ContainerState.Terminated ended ->
                    container
                            .setState("terminated")
                            .setReason(ended.reason())
                            .setMessage(ended.message())
                            .setExitCode(ended.exitCode())
                            .setSignal(ended.signal())
                            .setStartedUnixNs(nanos(ended.started()))
                            .setFinishedUnixNs(nanos(ended.finished()));
        }
        return container.build();
    }

    /** Nanoseconds since 1970; 0 for the epoch itself, which stands for "never". */
    static long nanos(Instant instant) {
        return instant.getEpochSecond() * 1_000_000_000L + instant.getNano();
    }

    static Instant instant(long nanos) {
        return Instant.ofEpochSecond(0, nanos);
    }

    /** 0: from the beginning. */
    static Optional<Instant> since(long nanos) {
        return nanos == 0 ? Optional.empty() : Optional.of(instant(nanos));
    }

    private static String capitalized(String name) {
        return name.charAt(0) + name.substring(1).toLowerCase(Locale.ROOT);
    }
}
