package podvm.engine.pod;

import java.time.Duration;
import java.time.Instant;
import podvm.engine.Agent;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.PodStatus.ContainerState.Running;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.log.LogWriter;
import podvm.engine.log.PodLogs;

/** Makes one attempt to run a container of a pod. */
final class ContainerStarts {
    static final Duration CALL = Duration.ofSeconds(60);
    private static final Duration FIRST_STEPS = Duration.ofMillis(500);

    private final PodId pod;
    private final PodBook book;
    private final GuestLink link;
    private final GuestContainers<ContainerSlot> guest;
    private final EngineSettings settings;
    private final Patience patience;
    private final Mailbox mailbox;
    private final PodLogs logs;
    private boolean measuring;

    ContainerStarts(
            PodId pod,
            PodBook book,
            GuestLink link,
            GuestContainers<ContainerSlot> guest,
            EngineSettings settings,
            Patience patience,
            Mailbox mailbox,
            PodLogs logs) {
        this.pod = pod;
        this.book = book;
        this.link = link;
        this.guest = guest;
        this.settings = settings;
        this.patience = patience;
        this.mailbox = mailbox;
        this.logs = logs;
        this.measuring = book.measured();
    }

    /** A program that cannot be run is an end of the container, not a failure of this. */
    void run(ContainerSlot slot) throws PodException, InterruptedException {
        var now = link.sandbox();
        var image = slot.image;
        if (now.isEmpty() || image == null) {
            throw new IllegalStateException("a container is run before its machine");
        }
        var attempt = ContainerId.random();
        slot.id = attempt;
        try {
            // known before it exists: else a daemon that dies now would leave a container that the
            // next one runs again
            book.publish();
        } catch (PodException e) {
            mailbox.checkDetaching();
            slot.waitFor("JournalFailed", e.describe(), Instant.now().plus(patience.retry()));
            return;
        }
        var began = Instant.now();
        try {
            var sandbox = now.get();
            var env =
                    new Environment(
                                    pod,
                                    book.spec,
                                    settings.nodeName(),
                                    sandbox.ips(),
                                    sandbox.size())
                            .of(slot.spec);
            var plan = ContainerPlans.of(attempt, book.spec, slot.spec, image, env, sandbox.size());
            var pages = Sizing.hugepages(book.spec);
            if (!pages.isEmpty()) {
                sandbox.agent().resources().hugepages(pages, Deadline.after(CALL));
            }
            sandbox.agent().create(plan, Deadline.after(CALL));
            pump(slot, attempt, sandbox.agent());
            var failure = sandbox.agent().start(attempt, Deadline.after(CALL));
            if (failure.isPresent()) {
                guest.ended(
                        slot,
                        new Terminated(
                                failure.get().exitCode(),
                                0,
                                "StartError",
                                failure.get().message(),
                                began,
                                Instant.now()));
            } else if (slot.waiting()) {
                slot.state = new Running(Instant.now());
                book.reached("container.started " + slot.name());
                measure(sandbox.agent());
            }
        } catch (PodException e) {
            switch (e.kind()) {
                case MACHINE, DEADLINE -> throw e;
                case INVALID,
                        NOT_FOUND,
                        ALREADY_EXISTS,
                        CONFLICT,
                        DENIED,
                        EXHAUSTED,
                        UNAVAILABLE,
                        UNSUPPORTED,
                        CORRUPT ->
                        guest.ended(
                                slot,
                                new Terminated(
                                        128, 0, "CreateError", e.describe(), began, Instant.now()));
            }
        }
    }

    /** Carries the output of an attempt that the guest has. */
    void pump(ContainerSlot slot, ContainerId attempt, Agent agent) {
        int number = slot.restarts;
        guest.pump(slot, attempt, agent, () -> writer(slot, number));
    }

    private LogWriter writer(ContainerSlot slot, int number) throws PodException {
        return logs.writer(slot.name(), number, settings.logs());
    }

    /** A moment later, since the first steps of the container count more. */
    private void measure(Agent agent) {
        if (measuring) {
            return;
        }
        measuring = true;
        Thread.ofVirtual()
                .name("measure-" + pod.brief())
                .start(() -> {
                    try {
                        Thread.sleep(FIRST_STEPS);
                        var info = agent.infoNow(Deadline.after(CALL));
                        mailbox.tell(new PodMessage.AgentMeasured(info.agentRssBytes()));
                    } catch (PodException | InterruptedException e) {
                        // the pod has ended, or its connection: who listens there tells
                    }
                });
    }
}
