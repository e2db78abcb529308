package podvm.engine.pod;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import podvm.engine.Agent;
import podvm.engine.ContainerSpec;
import podvm.engine.Deadline;
import podvm.engine.MachineEnd;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodRecord;
import podvm.engine.PodSpec;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.PodStatus.ContainerStatus;
import podvm.engine.Pods.LogQuery;
import podvm.engine.Pods.LogReader;
import podvm.engine.Progress;
import podvm.engine.log.PodLogs;

/**
 * One pod from acceptance to its end, on one virtual thread. The thread compares what should be
 * with what is, acts, publishes, and sleeps until a message or the next restart is due; so a pod
 * that was adopted from an earlier daemon goes the same way as a new one.
 */
final class PodLife implements KnownPod {
    private final PodSpec spec;
    private final EngineSettings settings;
    private final Patience patience;
    private final StatusBoard<PodStatus> board;
    private final PodLogs logs;
    private final List<ContainerSlot> slots = new ArrayList<>();
    private final Mailbox mailbox;
    private final Events events;
    private final SandboxStart starter;
    private final GuestLink link;
    private final PodBook book;
    private final GuestContainers<ContainerSlot> guest;
    private final ContainerStarts starts;
    private final ContainerTurns turns;
    private final PodImages images;
    private final Meter meter = new Meter();
    private final CountDownLatch adoption;

    PodLife(
            PodRecord record,
            Ports ports,
            EngineSettings settings,
            Patience patience,
            Progress pulls) {
        var status = record.status();
        var id = status.id();
        this.spec = status.spec();
        this.settings = settings;
        this.patience = patience;
        this.board =
                new StatusBoard<>(
                        "pod " + status.spec().name(),
                        status,
                        (before, after) -> ports.history().changed(Optional.of(before), after));
        this.logs = new PodLogs(ports.journals().logs(id));
        this.mailbox = new Mailbox("pod-" + id.brief(), this::live);
        this.events = new Events(ports.events(), id, spec.name());
        this.starter = new SandboxStart(id, spec, ports, settings, this::reached);
        this.link = new GuestLink(spec.name(), starter, mailbox, events);
        this.book = new PodBook(record, slots, ports.journals(), board, link, events);
        this.guest = new GuestContainers<>(slots, link, mailbox, patience, events, new SlotOwner());
        this.starts = new ContainerStarts(id, book, link, guest, settings, patience, mailbox, logs);
        this.turns = new ContainerTurns(book, link, guest, starts, patience);
        this.images = new PodImages(ports.images(), id, spec, pulls);
        spec.initContainers().forEach(one -> slots.add(slot(one, true)));
        spec.containers().forEach(one -> slots.add(slot(one, false)));
        for (int i = 0; i < Math.min(slots.size(), status.containers().size()); i++) {
            slots.get(i)
                    .adopt(
                            status.containers().get(i),
                            record.images().isEmpty() ? null : record.images().get(i));
        }
        this.adoption = new CountDownLatch(record.stage() == PodRecord.Stage.STARTED ? 1 : 0);
        if (record.stage() == PodRecord.Stage.ENDED) {
            logs.complete();
        }
    }

    private ContainerSlot slot(ContainerSpec container, boolean init) {
        return new ContainerSlot(
                container, init, new Backoff(settings.firstBackoff(), settings.lastBackoff()));
    }

    void start() {
        mailbox.start();
    }

    @Override
    public PodId id() {
        return status().id();
    }

    @Override
    public PodStatus status() {
        return board.status();
    }

    @Override
    public PodStatus awaitChange(PodStatus seen, Deadline deadline)
            throws PodException, InterruptedException {
        return board.awaitChange(seen, deadline);
    }

    @Override
    public void logs(Optional<String> container, LogQuery query, LogReader reader)
            throws PodException, InterruptedException {
        List<String> names;
        if (container.isPresent()) {
            names = List.of(container(container).spec.name());
        } else {
            names = status().containers().stream().map(ContainerStatus::name).toList();
        }
        logs.read(names, query, reader);
    }

    PodSpec spec() {
        return spec;
    }

    /** Asks for a graceful end; the caller waits on the board. */
    void stop(Deadline deadline) {
        mailbox.tellNow(new PodMessage.StopAsked(deadline));
    }

    /** Leaves the pod running for the next daemon; returns when this one has let go. */
    void detach() throws InterruptedException {
        mailbox.detach();
    }

    @Override
    public void awaitSettled() throws InterruptedException {
        adoption.await();
    }

    @Override
    public GuestLink link() {
        return link;
    }

    @Override
    public Meter meter() {
        return meter;
    }

    @Override
    public Attempt running(Optional<String> name) throws PodException {
        var slot = container(name);
        var attempt = slot.id;
        if (attempt == null || !slot.running()) {
            throw KnownPod.notRunning(slot.name(), spec.name());
        }
        return new Attempt(slot, attempt, new AttemptEnd(board, slot.name(), attempt));
    }

    /** Empty: the first container of the pod that is not an init container. */
    private ContainerSlot container(Optional<String> name) throws PodException {
        var wanted = name.orElse(spec.containers().getFirst().name());
        return slots.stream()
                .filter(slot -> slot.name().equals(wanted))
                .findFirst()
                .orElseThrow(() ->
                        KnownPod.noContainer(
                                wanted,
                                spec.name(),
                                slots.stream().map(ContainerSlot::name).toList()));
    }

    // ---- the pod's own thread, from here on ----

    private void live() {
        try {
            try {
                if (enter()) {
                    loop();
                }
            } catch (PodException e) {
                mailbox.checkDetaching();
                starter.machineEnd().ifPresent(end -> book.console(end.console()));
                book.fail(failure(e), e.describe());
            } catch (InterruptedException e) {
                if (mailbox.detaching()) {
                    throw e;
                }
                book.fail("Stopped", "stopped before its containers ran");
            } catch (RuntimeException bug) {
                book.fail("InternalError", bug.toString());
            }
            end();
        } catch (InterruptedException e) {
            // this daemon ends; the journal says how far the pod had got
            guest.letGo();
        } catch (Error bug) {
            events.warning("Bug", bug.toString());
            throw bug;
        } finally {
            adoption.countDown();
        }
    }

    private String failure(PodException e) {
        boolean machine = e.kind() == Kind.MACHINE || e.kind() == Kind.DEADLINE;
        return machine && !book.images().isEmpty() ? "MachineFailed" : "StartFailed";
    }

    private void reached(String stage) {
        book.reached(stage);
    }

    /** False when the pod ended on the way, or had ended before an earlier daemon could say so. */
    private boolean enter() throws PodException, InterruptedException {
        if (turns.finished()) {
            return false;
        }
        if (book.stage() == PodRecord.Stage.STARTED) {
            var adopted = starter.adopt(book.size());
            if (adopted.isPresent()) {
                link.join(adopted.get());
                settle();
                adoption.countDown();
                return true;
            }
            adoption.countDown();
            if (slots.stream().anyMatch(ContainerSlot::begun)) {
                machineEnded(
                        new MachineEnd(
                                MachineEnd.Reason.VMM_KILLED, "it ended while no daemon ran", ""));
                return false;
            }
        }
        if (book.stopBy().isPresent()) {
            book.fail("Stopped", "stopped before its containers ran");
            return false;
        }
        startFromNothing();
        return true;
    }

    /** Nothing is lost when a stop interrupts this; later it is a message like any other. */
    private void startFromNothing() throws PodException, InterruptedException {
        mailbox.allowInterrupt();
        try {
            starter.sweep();
            var pulled = images.pull(slots);
            reached("images.ready");
            book.starting(Sizing.of(spec, settings));
            link.join(starter.boot(book.size(), pulled, book::publish));
        } catch (PodException e) {
            if (mailbox.forbidInterrupt()) {
                // what an interrupt does to a file is told as a failure of the file
                var stopped = new InterruptedException("stopped");
                stopped.initCause(e);
                throw stopped;
            }
            throw e;
        } finally {
            var _ = mailbox.forbidInterrupt();
        }
    }

    /**
     * After a connection was made: what is known here and what the guest says may differ by the
     * last moments of the connection before; the guest is right. A container that it has not
     * started when it has told of all is made anew.
     */
    private void settle() throws PodException, InterruptedException {
        var until = Deadline.after(patience.report());
        var told = false;
        while (!book.failed()
                && !told
                && !until.passed()
                && slots.stream().anyMatch(ContainerSlot::unclear)) {
            var next = mailbox.next(until.left());
            if (next instanceof PodMessage.PresentTold present) {
                told = present.agent().equals(link.agent());
            } else if (next != null) {
                handle(next);
            }
        }
        for (var slot : book.failed() ? List.<ContainerSlot>of() : slots) {
            var attempt = slot.id;
            if (attempt != null && slot.waiting()) {
                link.agent().remove(attempt, Deadline.after(ContainerStarts.CALL));
                slot.waitFor("PodInitializing", "", Instant.EPOCH);
            } else if (attempt != null && !slot.drained && slot.running()) {
                starts.pump(slot, attempt, link.agent());
            }
        }
    }

    private void loop() throws PodException, InterruptedException {
        while (true) {
            try {
                for (var next = mailbox.next(); next != null; next = mailbox.next()) {
                    handle(next);
                }
                guest.settleLate();
                mailbox.checkDetaching();
                var wake = book.failed() ? Duration.ZERO : turns.reconcile();
                book.publishLeniently();
                if (turns.finished()) {
                    return;
                }
                var next = mailbox.next(guest.untilLate(untilRetry(wake)));
                if (next != null) {
                    handle(next);
                }
            } catch (PodException e) {
                mailbox.checkDetaching();
                survive(e);
            }
        }
    }

    private Duration untilRetry(Duration wake) {
        return book.unsaved() && patience.retry().compareTo(wake) < 0 ? patience.retry() : wake;
    }

    /**
     * A call failed: with the machine dead the message that says so is on its way, otherwise the
     * containers cannot be run.
     */
    private void survive(PodException failure) throws PodException, InterruptedException {
        if (failure.kind() != Kind.MACHINE || link.sandbox().isEmpty()) {
            throw failure;
        }
        var until = Deadline.after(Duration.ofSeconds(5));
        while (!book.failed() && !until.passed()) {
            var next = mailbox.next(until.left());
            if (next != null) {
                handle(next);
                if (next instanceof PodMessage.ConnectionLost) {
                    return;
                }
            }
        }
        if (!book.failed()) {
            throw failure;
        }
    }

    private void handle(PodMessage next) throws PodException, InterruptedException {
        switch (next) {
            case PodMessage.Reported reported -> guest.report(reported.report());
            case PodMessage.Drained drained -> guest.drained(drained.container());
            case PodMessage.AgentMeasured agent -> book.agentRss(agent.rssBytes());
            case PodMessage.MachineEnded ended -> machineEnded(ended.end());
            case PodMessage.ConnectionLost lost -> connectionLost(lost.agent());
            case PodMessage.StopAsked stop -> turns.stop(stop.deadline());
            case PodMessage.Asked asked -> asked.work().run();
            case PodMessage.PresentTold _, PodMessage.Wake _ -> {}
        }
    }

    private final class SlotOwner implements GuestContainers.Owner<ContainerSlot> {
        @Override
        public void firstOutput(ContainerSlot slot) {
            reached("container.output " + slot.name());
            mailbox.tell(new PodMessage.Wake());
        }

        @Override
        public void ended(ContainerSlot slot, Terminated state) {
            reached("container.ended " + slot.name());
            var text =
                    "container %s ended with exit code %d%s"
                            .formatted(
                                    slot.name(),
                                    state.exitCode(),
                                    state.message().isEmpty() ? "" : ": " + state.message());
            if (state.exitCode() == 0) {
                events.normal(state.reason(), text);
            } else {
                events.warning(state.reason(), text);
            }
        }
    }

    private void machineEnded(MachineEnd end) {
        if (book.failed()) {
            return;
        }
        book.console(end.console());
        guest.bury("MachineEnded", end.detail());
        book.fail(MachineEnds.word(end.reason()), "the machine ended: " + end.detail());
    }

    private void connectionLost(Agent lost) throws PodException, InterruptedException {
        if (book.failed()) {
            return;
        }
        switch (link.reconnect(lost)) {
            case GuestLink.Reconnection.Unneeded _ -> {}
            case GuestLink.Reconnection.Connected _ -> settle();
            case GuestLink.Reconnection.Dead(var end) -> machineEnded(end);
            case GuestLink.Reconnection.Failed(var text) -> book.fail("AgentLost", text);
        }
    }

    /** Releases everything, then says so: who waits for the pod's end finds nothing left behind. */
    private void end() throws InterruptedException {
        guest.bury(
                "MachineEnded",
                book.message().isEmpty() ? "its machine was ended" : book.message());
        book.publishLeniently();
        if (book.unsaved()) {
            // the interrupt that lets go of a pod also keeps its end from being written: then the
            // next daemon must still find its machine
            mailbox.checkDetaching();
        }
        link.release();
        guest.endPumps();
        mailbox.checkDetaching();
        images.release();
        book.ended();
        book.publishLeniently();
        // last: who follows the log to its end finds the pod ended
        logs.complete();
    }
}
