package podvm.engine.pod;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import podvm.engine.PodChange;
import podvm.engine.PodChange.Kind;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState.Running;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.PodStatus.ContainerState.Waiting;
import podvm.engine.PodStatus.ContainerStatus;

/** Tells what must have happened between two moments of a pod. */
final class StatusChanges {
    /** Ends of programs that ran: others had no start. */
    private static final Set<String> RAN = Set.of("Completed", "Error", "OOMKilled");

    private final PodStatus pod;
    private final List<PodChange> all = new ArrayList<>();

    private StatusChanges(PodStatus pod) {
        this.pod = pod;
    }

    /**
     * @param before empty: the pod was not there
     */
    static List<PodChange> between(Optional<PodStatus> before, PodStatus after) {
        var changes = new StatusChanges(after);
        if (before.isEmpty()) {
            changes.add(after.created(), Optional.empty(), Kind.CREATED);
        }
        for (var container : after.containers()) {
            changes.container(find(before, container.name()), container);
        }
        for (var gone : before.map(PodStatus::containers).orElse(List.of())) {
            if (find(Optional.of(after), gone.name()).isEmpty()) {
                changes.add(Instant.now(), Optional.of(gone.name()), Kind.REMOVED);
            }
        }
        boolean ended = before.map(status -> status.phase().ended()).orElse(false);
        if (after.phase().ended() && !ended) {
            changes.all.add(
                    new PodChange(
                            after.finished().orElseGet(Instant::now),
                            after,
                            Optional.empty(),
                            Kind.ENDED,
                            after.exitCode(),
                            after.reason(),
                            after.message()));
        }
        return changes.all;
    }

    private static Optional<ContainerStatus> find(Optional<PodStatus> pod, String name) {
        return pod.stream()
                .flatMap(status -> status.containers().stream())
                .filter(one -> one.name().equals(name))
                .findFirst();
    }

    private void container(Optional<ContainerStatus> before, ContainerStatus after) {
        var name = Optional.of(after.name());
        boolean same = before.isPresent() && before.get().id().equals(after.id());
        boolean wasRunning = before.isPresent() && before.get().state() instanceof Running;
        if (!same && wasRunning && after.last().isPresent()) {
            exited(name, after.last().get());
        }
        if (!same && after.id().isPresent()) {
            add(begin(after), name, Kind.CREATED);
        }
        switch (after.state()) {
            case Waiting _ -> {}
            case Running(var started) -> {
                if (!same || !wasRunning) {
                    add(started, name, Kind.STARTED);
                }
            }
            case Terminated end -> {
                boolean known = same && before.get().state() instanceof Terminated;
                if (!known && !(same && wasRunning) && RAN.contains(end.reason())) {
                    add(end.started(), name, Kind.STARTED);
                }
                if (!known) {
                    exited(name, end);
                }
            }
        }
    }

    private static Instant begin(ContainerStatus container) {
        return switch (container.state()) {
            case Waiting _ -> Instant.now();
            case Running(var started) -> started;
            case Terminated end -> end.started();
        };
    }

    private void exited(Optional<String> container, Terminated end) {
        if (end.reason().equals("OOMKilled")) {
            add(end.finished(), container, Kind.OOM_KILLED);
        }
        all.add(
                new PodChange(
                        end.finished(),
                        pod,
                        container,
                        Kind.EXITED,
                        end.exitCode(),
                        end.reason(),
                        end.message()));
    }

    private void add(Instant at, Optional<String> container, Kind kind) {
        all.add(new PodChange(at, pod, container, kind, 0, "", ""));
    }
}
