package podvm.engine.pod;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.PodStatus.ContainerStatus;
import podvm.engine.PodStatus.Phase;
import podvm.engine.SandboxContainer;
import podvm.engine.SandboxContainer.State;
import podvm.engine.SandboxRecord;
import podvm.engine.SandboxStatus;

/** What is known of a pod sandbox, in the words of a pod. */
final class SandboxPodStatus {
    private SandboxPodStatus() {}

    /** Empty while nobody was told of it. */
    static Optional<PodStatus> known(SandboxRecord record) {
        return Optional.of(record)
                .filter(one -> one.stage() != SandboxRecord.Stage.STARTING)
                .map(SandboxPodStatus::of);
    }

    static PodStatus of(SandboxRecord record) {
        var containers = containers(record);
        var phase = phase(record, containers);
        return new PodStatus(
                record.id().pod(),
                SandboxLife.shape(record.spec()),
                phase,
                record.reason(),
                record.message(),
                "",
                record.created(),
                phase.ended() ? lastEnd(containers) : Optional.empty(),
                record.ips(),
                Optional.of(record.size()),
                Optional.empty(),
                containers,
                List.of(),
                Optional.of(record.id()));
    }

    /** The newest attempt of each container, in the order in which they were first made. */
    static List<SandboxContainer> newest(SandboxRecord record) {
        return attempts(record).stream().map(List::getLast).toList();
    }

    private static List<List<SandboxContainer>> attempts(SandboxRecord record) {
        var byName = new LinkedHashMap<String, List<SandboxContainer>>();
        record.realContainers().stream()
                .sorted(Comparator.comparing(SandboxContainer::created))
                .forEach(one ->
                        byName.computeIfAbsent(
                                        one.config().metadata().name(), _ -> new ArrayList<>())
                                .add(one));
        return List.copyOf(byName.values());
    }

    private static List<ContainerStatus> containers(SandboxRecord record) {
        return attempts(record).stream().map(SandboxPodStatus::container).toList();
    }

    private static ContainerStatus container(List<SandboxContainer> attempts) {
        var newest = attempts.getLast();
        var before = attempts.subList(0, attempts.size() - 1).stream().reduce((_, later) -> later);
        return new ContainerStatus(
                newest.config().metadata().name(),
                false,
                newest.config().imageAsked(),
                newest.imageId().toString(),
                Optional.of(newest.id()),
                state(newest),
                before.flatMap(SandboxPodStatus::ended),
                newest.config().metadata().attempt());
    }

    private static ContainerState state(SandboxContainer container) {
        return switch (container.state()) {
            case CREATED -> new ContainerState.Waiting("ContainerCreated", "");
            case RUNNING ->
                    new ContainerState.Running(container.started().orElse(container.created()));
            case EXITED, UNKNOWN -> terminated(container);
        };
    }

    private static Optional<Terminated> ended(SandboxContainer container) {
        return switch (container.state()) {
            case CREATED, RUNNING -> Optional.empty();
            case EXITED, UNKNOWN -> Optional.of(terminated(container));
        };
    }

    private static Terminated terminated(SandboxContainer container) {
        var started = container.started().orElse(container.created());
        return new Terminated(
                container.exitCode(),
                0,
                container.state() == State.UNKNOWN ? SandboxSlot.UNKNOWN : container.reason(),
                container.message(),
                started,
                container.finished().orElse(started));
    }

    /** It ends with its machine: until then a kubelet may start what it likes in it. */
    private static Phase phase(SandboxRecord record, List<ContainerStatus> containers) {
        boolean live = containers.stream().anyMatch(one -> !(one.state() instanceof Terminated));
        if (record.status().state() == SandboxStatus.State.NOT_READY && !live) {
            boolean failed =
                    !record.reason().equals("Stopped")
                            || containers.stream().anyMatch(SandboxPodStatus::failed);
            return failed ? Phase.FAILED : Phase.SUCCEEDED;
        }
        boolean begun =
                containers.stream()
                        .anyMatch(one -> !(one.state() instanceof ContainerState.Waiting));
        return begun ? Phase.RUNNING : Phase.PENDING;
    }

    private static boolean failed(ContainerStatus container) {
        return container.state() instanceof Terminated ended && ended.exitCode() != 0;
    }

    private static Optional<Instant> lastEnd(List<ContainerStatus> containers) {
        return containers.stream()
                .flatMap(one ->
                        one.state() instanceof Terminated ended
                                ? Optional.of(ended.finished()).stream()
                                : Optional.<Instant>empty().stream())
                .max(Comparator.naturalOrder());
    }
}
