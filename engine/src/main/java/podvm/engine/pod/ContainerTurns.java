package podvm.engine.pod;

import java.time.Duration;
import java.time.Instant;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodSpec.RestartPolicy;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.PodStatus.ContainerState.Waiting;

/** Which container of a pod is run when, run again, and stopped. */
final class ContainerTurns {
    private static final Duration LONG = Duration.ofHours(1);

    private final PodBook book;
    private final GuestLink link;
    private final GuestContainers<ContainerSlot> guest;
    private final ContainerStarts starts;
    private final Patience patience;
    private @Nullable Deadline stopBy;

    ContainerTurns(
            PodBook book,
            GuestLink link,
            GuestContainers<ContainerSlot> guest,
            ContainerStarts starts,
            Patience patience) {
        this.book = book;
        this.link = link;
        this.guest = guest;
        this.starts = starts;
        this.patience = patience;
        book.stopBy().ifPresent(this::stopBy);
    }

    private void stopBy(Instant until) {
        var left = Duration.between(Instant.now(), until);
        stopBy = Deadline.after(left.isNegative() ? Duration.ZERO : left);
    }

    /** Known to the journal before the first signal: the next daemon goes on with it. */
    void stop(Deadline deadline) {
        if (stopBy == null || deadline.left().compareTo(stopBy.left()) < 0) {
            stopBy = deadline;
            book.stopping(Instant.now().plus(deadline.left()));
            book.publishLeniently();
        }
    }

    boolean finished() {
        return book.failed()
                || (apps().allMatch(this::done)
                        && book.slots.stream().noneMatch(ContainerSlot::running));
    }

    /**
     * Ended for good: also what could not even be started is tried again where restarts are due.
     */
    private boolean done(ContainerSlot slot) {
        return slot.state instanceof Terminated ended && (stopBy != null || !wanted(ended));
    }

    private Stream<ContainerSlot> apps() {
        return book.slots.stream().filter(slot -> !slot.init);
    }

    /**
     * Does what can be done now; returns how long nothing needs to be done unless a message comes.
     */
    Duration reconcile() throws PodException, InterruptedException {
        if (stopBy != null) {
            return stopStep(stopBy);
        }
        for (var slot : book.slots) {
            if (slot.init && !slot.succeeded()) {
                return initStep(slot);
            }
        }
        var sleep = LONG;
        for (var slot : apps().toList()) {
            if (slot.state instanceof Terminated ended && wanted(ended)) {
                restart(slot, ended);
            }
            if (slot.waiting()) {
                var left = Duration.between(Instant.now(), slot.due);
                if (left.isPositive()) {
                    sleep = left.compareTo(sleep) < 0 ? left : sleep;
                } else {
                    starts.run(slot);
                    if (slot.ended()) {
                        sleep = Duration.ZERO;
                    }
                }
            }
        }
        return finished() ? Duration.ZERO : sleep;
    }

    private boolean wanted(Terminated ended) {
        return switch (book.spec.restartPolicy()) {
            case ALWAYS -> true;
            case ON_FAILURE -> ended.exitCode() != 0;
            case NEVER -> false;
        };
    }

    private Duration initStep(ContainerSlot slot) throws PodException, InterruptedException {
        if (slot.state instanceof Terminated ended) {
            if (book.spec.restartPolicy() == RestartPolicy.NEVER) {
                skipApps();
                book.fail(
                        "InitContainerFailed",
                        "init container "
                                + slot.name()
                                + " ended with exit code "
                                + ended.exitCode());
                return Duration.ZERO;
            }
            restart(slot, ended);
        }
        if (slot.running()) {
            return LONG;
        }
        var left = Duration.between(Instant.now(), slot.due);
        if (left.isPositive()) {
            return left;
        }
        starts.run(slot);
        return slot.running() ? LONG : Duration.ZERO;
    }

    private void skipApps() {
        apps().filter(GuestContainer::waiting)
                .forEach(slot -> slot.state = new Waiting("PodFailed", ""));
    }

    private void restart(ContainerSlot slot, Terminated ended)
            throws PodException, InterruptedException {
        var attempt = slot.id;
        if (attempt != null) {
            link.agent().remove(attempt, Deadline.after(ContainerStarts.CALL));
        }
        var delay = slot.backoff.after(ended.started(), ended.finished());
        var text = delay.isZero() ? "" : "restarting in " + delay.toSeconds() + " s";
        slot.waitFor("CrashLoopBackOff", text, Instant.now().plus(delay));
    }

    /** Signals once, kills at the deadline, and gives up on the guest a while later. */
    private Duration stopStep(Deadline deadline) throws PodException, InterruptedException {
        var running = book.slots.stream().filter(ContainerSlot::running).toList();
        apps().filter(GuestContainer::waiting).forEach(this::neverRan);
        var sleep = running.isEmpty() ? Duration.ZERO : LONG;
        var call = Deadline.after(patience.kill());
        for (var slot : running) {
            switch (guest.stopStep(slot, deadline, call)) {
                case GuestContainers.StopStep.Wait(var time) ->
                        sleep = time.compareTo(sleep) < 0 ? time : sleep;
                case GuestContainers.StopStep.Stuck _ -> {
                    book.fail("StopForced", "the guest did not end its containers after SIGKILL");
                    return Duration.ZERO;
                }
            }
        }
        return sleep;
    }

    private void neverRan(ContainerSlot slot) {
        guest.ended(
                slot,
                new Terminated(
                        128 + Signals.KILL,
                        Signals.KILL,
                        "Stopped",
                        "stopped before it ran",
                        Instant.now(),
                        Instant.now()));
    }
}
