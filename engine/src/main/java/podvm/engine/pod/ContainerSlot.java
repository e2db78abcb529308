package podvm.engine.pod;

import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import podvm.engine.ContainerSpec;
import podvm.engine.Image;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.PodStatus.ContainerState.Waiting;
import podvm.engine.PodStatus.ContainerStatus;

/** One container of a pod through all its attempts. */
final class ContainerSlot extends GuestContainer {
    final ContainerSpec spec;
    final boolean init;
    final Backoff backoff;
    Optional<Terminated> last = Optional.empty();
    int restarts;

    /** Waiting: not before this. */
    Instant due = Instant.EPOCH;

    ContainerSlot(ContainerSpec spec, boolean init, Backoff backoff) {
        super(new Waiting("PodInitializing", ""));
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

    @Override
    String name() {
        return spec.name();
    }

    @Override
    boolean terminal() {
        return spec.tty();
    }

    @Override
    boolean hasStdin() {
        return spec.stdin();
    }

    @Override
    String stopSignal() {
        return image == null ? "" : image.config().stopSignal();
    }

    /** It is not known whether the guest has started it, or even has it. */
    boolean unclear() {
        return waiting() && id != null;
    }

    /** An attempt of it may have run. */
    boolean begun() {
        return id != null || restarts > 0 || !waiting();
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
        ran = false;
        exit = null;
        drained = false;
        drainBy = null;
        stopSignalSent = false;
        killedBy = null;
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
