package podvm.engine.pod;

import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import podvm.engine.Agent.ContainerReport;
import podvm.engine.ContainerId;
import podvm.engine.ContainerSpec;
import podvm.engine.Deadline;
import podvm.engine.Image;
import podvm.engine.PodStatus.ContainerState;
import podvm.engine.PodStatus.ContainerState.Running;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.PodStatus.ContainerState.Waiting;
import podvm.engine.PodStatus.ContainerStatus;

/** One container of a pod through all its attempts. Changed by the pod's own thread only. */
final class ContainerSlot {
    final ContainerSpec spec;
    final boolean init;
    final Backoff backoff;
    final OutputHub output = new OutputHub();
    @Nullable Image image;
    volatile ContainerState state = new Waiting("PodInitializing", "");
    Optional<Terminated> last = Optional.empty();
    int restarts;

    /** Waiting: not before this. */
    Instant due = Instant.EPOCH;

    /** Of the present attempt. */
    volatile @Nullable ContainerId id;

    @Nullable ContainerReport exit;
    boolean drained;

    /** Set after the exit: its output is not waited for any longer. */
    @Nullable Deadline drainBy;

    /** Carries the output of the newest attempt. */
    @Nullable Thread pump;

    boolean stopSignalSent;

    ContainerSlot(ContainerSpec spec, boolean init, Backoff backoff) {
        this.spec = spec;
        this.init = init;
        this.backoff = backoff;
    }

    void adopt(ContainerStatus status, @Nullable Image image) {
        this.image = image;
        state = status.state();
        last = status.last();
        restarts = status.restarts();
        id = status.id().orElse(null);
    }

    boolean running() {
        return state instanceof Running;
    }

    /** It is not known whether the guest has started it, or even has it. */
    boolean unclear() {
        return state instanceof Waiting && id != null;
    }

    /** An attempt of it may have run. */
    boolean begun() {
        return id != null || restarts > 0 || !(state instanceof Waiting);
    }

    boolean succeeded() {
        return state instanceof Terminated ended && ended.exitCode() == 0;
    }

    void waitFor(String reason, String message, Instant due) {
        if (state instanceof Terminated ended) {
            last = Optional.of(ended);
            restarts++;
        }
        state = new Waiting(reason, message);
        this.due = due;
        id = null;
        exit = null;
        drained = false;
        drainBy = null;
        stopSignalSent = false;
    }

    ContainerStatus status() {
        return new ContainerStatus(
                spec.name(),
                init,
                spec.image(),
                image == null ? "" : image.id().toString(),
                Optional.ofNullable(id),
                state,
                last,
                restarts);
    }
}
