package podvm.engine.pod;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Optional;
import podvm.engine.Agent;
import podvm.engine.Agent.ContainerReport;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodStatus.ContainerState.Running;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.log.LogSink;

/**
 * The containers that a pod's guest has: follows what it tells of them, carries their output into
 * their logs, and signals them.
 */
final class GuestContainers<C extends GuestContainer> {
    /** What else is to happen when something happened to a container. */
    interface Owner<C> {
        void firstOutput(C container);

        void ended(C container, Terminated state);
    }

    @FunctionalInterface
    interface LogOpening {
        LogSink open() throws PodException;
    }

    private final Collection<C> all;
    private final GuestLink link;
    private final Mailbox mailbox;
    private final Patience patience;
    private final Events events;
    private final Owner<C> owner;

    /**
     * @param all may grow and shrink, on the pod's thread
     */
    GuestContainers(
            Collection<C> all,
            GuestLink link,
            Mailbox mailbox,
            Patience patience,
            Events events,
            Owner<C> owner) {
        this.all = all;
        this.link = link;
        this.mailbox = mailbox;
        this.patience = patience;
        this.events = events;
        this.owner = owner;
    }

    private Optional<C> byId(ContainerId container) {
        return all.stream().filter(one -> container.equals(one.id)).findFirst();
    }

    // ---- what the guest tells ----

    void report(ContainerReport report) {
        byId(report.id()).ifPresent(container -> report(container, report));
    }

    private void report(C container, ContainerReport report) {
        switch (report.phase()) {
            case CREATED -> {}
            case RUNNING -> {
                container.ran = true;
                if (container.waiting()) {
                    container.state = new Running(report.started());
                }
            }
            case EXITED -> {
                container.ran = true;
                if (container.waiting()) {
                    container.state = new Running(report.started());
                }
                if (container.exit == null && container.running()) {
                    container.exit = report;
                    container.drainBy = Deadline.after(patience.drain());
                    settle(container);
                }
            }
        }
    }

    /** All output of the attempt is in the log. */
    void drained(ContainerId attempt) {
        byId(attempt)
                .ifPresent(container -> {
                    container.drained = true;
                    settle(container);
                });
    }

    /**
     * A container counts as ended when its output is in the log too, so that who waits for the end
     * has it all.
     */
    private void settle(C container) {
        var exit = container.exit;
        if (exit != null && container.drained) {
            ended(container, terminated(exit));
        }
    }

    /** Waits no longer for output that does not end. */
    void settleLate() {
        for (var container : new ArrayList<>(all)) {
            var exit = container.exit;
            var drainBy = container.drainBy;
            if (exit != null && drainBy != null && drainBy.passed()) {
                ended(container, terminated(exit));
            }
        }
    }

    /** At most until {@link #settleLate} is due. */
    Duration untilLate(Duration sleep) {
        var result = sleep;
        for (var container : all) {
            var drainBy = container.drainBy;
            if (drainBy != null && drainBy.left().compareTo(result) < 0) {
                result = drainBy.left();
            }
        }
        return result;
    }

    private static Terminated terminated(ContainerReport exit) {
        var why = exit.oomKilled() ? "OOMKilled" : exit.exitCode() == 0 ? "Completed" : "Error";
        return new Terminated(
                exit.exitCode(), exit.signal(), why, "", exit.started(), exit.exited());
    }

    void ended(C container, Terminated state) {
        if (container.ended()) {
            return;
        }
        container.state = state;
        container.drainBy = null;
        owner.ended(container, state);
    }

    /** No container outlives its machine, whose last words may still wait in the mailbox. */
    void bury(String reason, String why) {
        for (var message : mailbox.waiting()) {
            if (message instanceof PodMessage.Reported reported) {
                report(reported.report());
            }
        }
        for (var container : new ArrayList<>(all)) {
            var exit = container.exit;
            if (exit != null) {
                ended(container, terminated(exit));
            } else if (container.running() || (container.waiting() && container.id != null)) {
                var started =
                        container.state instanceof Running running
                                ? running.started()
                                : Instant.now();
                ended(
                        container,
                        new Terminated(
                                128 + Signals.KILL,
                                Signals.KILL,
                                reason,
                                why,
                                started,
                                Instant.now()));
            }
        }
    }

    // ---- output ----

    /**
     * Carries the output of one attempt into its log until its end; on a full disk the container
     * waits and the pump tries again.
     */
    void pump(C container, ContainerId attempt, Agent agent, LogOpening log) {
        var before = container.pump;
        container.pump =
                Thread.ofVirtual()
                        .name("log-" + attempt.brief())
                        .start(() -> {
                            try {
                                if (before != null) {
                                    // a log has one writer at a time
                                    before.join();
                                }
                                while (!pumpOnce(container, attempt, agent, log)) {
                                    Thread.sleep(patience.retry());
                                }
                                mailbox.tell(new PodMessage.Drained(attempt));
                            } catch (InterruptedException e) {
                                // the pod ends, or the daemon lets go of it
                            } catch (PodException e) {
                                // a lost connection: whoever connects again starts the next pump
                                if (e.kind() != Kind.MACHINE && !mailbox.detaching()) {
                                    events.warning("LogFailed", e.describe());
                                }
                            }
                        });
    }

    private boolean pumpOnce(C container, ContainerId attempt, Agent agent, LogOpening log)
            throws PodException, InterruptedException {
        try (var writer = log.open()) {
            agent.readOutput(
                    attempt,
                    container.output.to(writer, attempt, () -> owner.firstOutput(container)));
            return true;
        } catch (PodException e) {
            if (e.kind() != Kind.EXHAUSTED) {
                throw e;
            }
            events.warning("LogWaits", e.describe());
            return false;
        }
    }

    /** Leaves the guest to the next daemon. */
    void letGo() {
        link.sandbox().ifPresent(now -> now.agent().close());
        try {
            endPumps();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** With the connection closed they end by themselves, unless a client holds them up. */
    void endPumps() throws InterruptedException {
        var patient = Deadline.after(patience.drain());
        for (var container : all) {
            var pump = container.pump;
            if (pump != null && !pump.join(patient.left())) {
                pump.interrupt();
                var _ = pump.join(Duration.ofSeconds(1));
            }
        }
    }

    // ---- signals ----

    /** What comes next of a stop. */
    sealed interface StopStep {
        /** Look again then, unless a message comes first. */
        record Wait(Duration time) implements StopStep {}

        /** SIGKILL did nothing for as long as one waits for it. */
        record Stuck() implements StopStep {}
    }

    /**
     * Signals once, kills at the deadline, and says when the guest does not listen any more.
     *
     * @param call until when a signal must have been taken
     */
    StopStep stopStep(C container, Deadline deadline, Deadline call)
            throws PodException, InterruptedException {
        var killedBy = container.killedBy;
        if (killedBy != null) {
            return killedBy.passed() ? new StopStep.Stuck() : new StopStep.Wait(killedBy.left());
        }
        boolean kill = deadline.passed();
        if (container.exit == null && (kill || !container.stopSignalSent)) {
            signal(container, kill ? Signals.KILL : Signals.parse(container.stopSignal()), call);
            container.stopSignalSent = true;
        }
        if (kill) {
            container.killedBy = Deadline.after(patience.kill());
            return new StopStep.Wait(patience.kill());
        }
        return new StopStep.Wait(deadline.left());
    }

    private void signal(C container, int number, Deadline call)
            throws PodException, InterruptedException {
        var attempt = container.id;
        if (attempt == null) {
            return;
        }
        try {
            link.agent().signal(attempt, number, call);
        } catch (PodException e) {
            // not found: it has just ended, and its report is on the way; too late: a guest that
            // takes no signals is given up when its time to end is over
            if (e.kind() != Kind.NOT_FOUND && e.kind() != Kind.DEADLINE) {
                throw e;
            }
        }
    }
}
