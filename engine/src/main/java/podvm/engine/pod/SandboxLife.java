package podvm.engine.pod;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import podvm.engine.Agent;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.MachineEnd;
import podvm.engine.NetworkChoice;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodSpec;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.SandboxEvent;
import podvm.engine.SandboxId;
import podvm.engine.SandboxRecord;
import podvm.engine.SandboxRecord.Stage;
import podvm.engine.SandboxSpec;

/**
 * One pod sandbox from its start to its removal, on one virtual thread, which does what is asked
 * for in turn and hears what the guest tells meanwhile. It runs no container of its own accord.
 */
final class SandboxLife {
    /** Whoever has sandboxes but not pods of us runs a cluster. */
    static final NetworkChoice NETWORK = new NetworkChoice.Cluster();

    private final SandboxId id;
    private final SandboxSpec spec;
    private final Ports ports;
    private final Patience patience;
    private final List<SandboxSlot> slots = new CopyOnWriteArrayList<>();
    private final StatusBoard<SandboxRecord> board;
    private final Mailbox mailbox;
    private final SandboxCalls calls;
    private final Events events;
    private final SandboxStart starter;
    private final GuestLink link;
    private final SandboxShares shares;
    private final SandboxBook book;
    private final GuestContainers<SandboxSlot> guest;
    private final SandboxContainers containers;
    private final SandboxDemands demands;
    private final Meter meter = new Meter();
    private final Runnable failedToStart;
    private final CountDownLatch settled = new CountDownLatch(1);
    private volatile @Nullable PodException startFailure;
    private boolean forgotten;

    /**
     * @param failedToStart done when nothing is left of a sandbox that could not be started
     */
    SandboxLife(
            SandboxRecord record,
            Ports ports,
            EngineSettings settings,
            Patience patience,
            SandboxEvent.Listener listener,
            Runnable failedToStart) {
        this.id = record.id();
        this.spec = record.spec();
        this.ports = ports;
        this.patience = patience;
        this.failedToStart = failedToStart;
        var name = spec.metadata().name();
        this.board =
                new StatusBoard<>(
                        what(),
                        record,
                        (before, after) ->
                                ports.history()
                                        .changed(
                                                SandboxPodStatus.known(before),
                                                SandboxPodStatus.of(after)));
        this.mailbox = new Mailbox("sandbox-" + id.pod().brief(), this::live);
        this.calls = new SandboxCalls(what(), mailbox);
        this.events = new Events(ports.events(), id.pod(), name);
        this.starter =
                new SandboxStart(
                        id.pod(),
                        shape(spec),
                        ports,
                        settings,
                        _ -> {},
                        new SandboxStart.Extras(
                                spec.metadata().uid(),
                                PodUsers.sysctls(spec.sysctls(), spec.users()),
                                spec.dns(),
                                id.text(),
                                spec.group()));
        this.link = new GuestLink(name, starter, mailbox, events);
        this.shares = new SandboxShares(id.pod(), ports.shares(), events, record.shares());
        this.book =
                new SandboxBook(slots, shares, ports.sandboxJournals(), board, events, listener);
        this.guest = new GuestContainers<>(slots, link, mailbox, patience, events, new Owner());
        this.demands = new SandboxDemands(spec, settings, slots, book, events);
        this.containers =
                new SandboxContainers(
                        id,
                        spec,
                        settings,
                        slots,
                        new SandboxImages(record, ports.images()),
                        new SandboxDevices(ports.volumes()),
                        link,
                        guest,
                        shares,
                        book,
                        demands);
        for (var held : record.containers()) {
            slots.add(new SandboxSlot(held, stopSignal(held)));
        }
    }

    private String what() {
        return "pod sandbox " + spec.metadata();
    }

    /** What its machine needs to know of it is what a pod without containers says. */
    static PodSpec shape(SandboxSpec spec) {
        var metadata = spec.metadata();
        return new PodSpec(
                metadata.namespace(),
                metadata.name(),
                spec.labels(),
                spec.annotations(),
                spec.hostname().isEmpty() ? PodSpec.hostname(metadata.name()) : spec.hostname(),
                "",
                List.of(),
                PodSpec.RestartPolicy.NEVER,
                Duration.ZERO,
                List.of(),
                List.of(),
                Map.of(),
                NETWORK,
                spec.ports());
    }

    private String stopSignal(SandboxRecord.Held held) {
        try {
            return ports.images()
                    .find(held.container().imageId().toString())
                    .map(image -> image.config().stopSignal())
                    .orElse("");
        } catch (PodException e) {
            return "";
        }
    }

    SandboxRecord record() {
        return board.status();
    }

    void begin() {
        mailbox.start();
    }

    /** Returns when it is ready; otherwise nothing is left of it. */
    void awaitStart() throws PodException, InterruptedException {
        settled.await();
        var failure = startFailure;
        if (failure != null) {
            throw failure;
        }
        if (record().stage() == Stage.STARTING) {
            throw new PodException(
                    Kind.UNAVAILABLE,
                    "the daemon ends before " + what() + " has started",
                    "try again when it is back");
        }
    }

    /** Asks for its end, without waiting for it. */
    void askToStop() {
        mailbox.tellNow(new PodMessage.StopAsked(Deadline.after(Duration.ZERO)));
    }

    void stop() throws PodException, InterruptedException {
        if (record().stage() != Stage.ENDED) {
            askToStop();
        }
        for (var seen = record(); seen.stage() != Stage.ENDED; ) {
            seen = board.awaitChange(seen, Deadline.after(Waits.LONGEST));
        }
    }

    /** The last that is asked of it; it has ended. */
    void forget() throws PodException, InterruptedException {
        calls.insist(() -> {
            ports.sandboxJournals().delete(id);
            for (var slot : List.copyOf(slots)) {
                slots.remove(slot);
                book.happened(SandboxEvent.Type.DELETED, Optional.of(slot.attempt()));
            }
            book.happened(SandboxEvent.Type.DELETED, Optional.empty());
            forgotten = true;
            book.farewell();
            return true;
        });
    }

    /** Leaves it running for the next daemon; returns when this one has let go. */
    void detach() throws InterruptedException {
        mailbox.detach();
    }

    <T> T ask(SandboxCalls.Body<T> body) throws PodException, InterruptedException {
        return calls.ask(body);
    }

    <T> T insist(SandboxCalls.Body<T> body) throws PodException, InterruptedException {
        return calls.insist(body);
    }

    SandboxContainers containers() {
        return containers;
    }

    StatusBoard<SandboxRecord> board() {
        return board;
    }

    GuestLink link() {
        return link;
    }

    Meter meter() {
        return meter;
    }

    /** Waits while this daemon takes up what an earlier one left. */
    void awaitSettled() throws InterruptedException {
        settled.await();
    }

    Optional<SandboxSlot> slot(ContainerId container) {
        return slots.stream()
                .filter(slot -> slot.real && slot.attempt().equals(container))
                .findFirst();
    }

    // ---- its own thread, from here on ----

    private void live() {
        try {
            enter();
            settled.countDown();
            while (!forgotten && startFailure == null) {
                turn();
            }
        } catch (InterruptedException e) {
            // this daemon ends; the journal says what there is
            guest.letGo();
            shares.letGo();
        } catch (Error bug) {
            events.warning("Bug", bug.toString());
            throw bug;
        } finally {
            calls.close();
            settled.countDown();
        }
    }

    private void enter() throws InterruptedException {
        switch (book.stage()) {
            case STARTING -> start();
            case STARTED -> adopt();
            case ENDED -> {}
        }
    }

    private void start() throws InterruptedException {
        try {
            mailbox.allowInterrupt();
            try {
                var made = starter.boot(record().size(), List.of(), () -> {});
                var _ = mailbox.forbidInterrupt();
                link.join(made);
                demands.begin(made);
                book.started(made.ips());
                book.publish();
            } finally {
                var _ = mailbox.forbidInterrupt();
            }
        } catch (PodException e) {
            mailbox.checkDetaching();
            abandon(
                    new PodException(
                            e.kind(),
                            "cannot start " + what() + ": " + e.getMessage(),
                            e.remedy(),
                            e));
        } catch (InterruptedException e) {
            mailbox.checkDetaching();
            abandon(new PodException(Kind.CONFLICT, what() + " was stopped while it started", ""));
        } catch (RuntimeException bug) {
            abandon(new PodException(Kind.MACHINE, "cannot start " + what() + ": " + bug, "", bug));
        }
    }

    private void abandon(PodException why) {
        link.release();
        startFailure = why;
        failedToStart.run();
    }

    private void adopt() throws InterruptedException {
        if (book.failed()) {
            // an earlier daemon was about to end it
            return;
        }
        try {
            var found = starter.adopt(record().size());
            if (found.isPresent()) {
                link.join(found.get());
                shares.resume(found.get().agent());
                settle();
                book.publishLeniently();
            } else {
                machineEnded(
                        new MachineEnd(
                                MachineEnd.Reason.VMM_KILLED, "it ended while no daemon ran", ""));
            }
        } catch (PodException e) {
            mailbox.checkDetaching();
            book.fail("AgentLost", e.describe());
        }
    }

    private void turn() throws InterruptedException {
        try {
            for (var next = mailbox.next(); next != null; next = mailbox.next()) {
                handle(next);
                if (forgotten) {
                    return;
                }
            }
            guest.settleLate();
            mailbox.checkDetaching();
            var sleep = Waits.LONGEST;
            if (book.failed() && book.stage() != Stage.ENDED) {
                end();
            } else if (book.stage() != Stage.ENDED) {
                sleep = stopSteps(Waits.LONGEST);
            }
            book.publishLeniently();
            if (book.unsaved()) {
                sleep = Waits.shorter(sleep, patience.retry());
            }
            if (book.failed() && book.stage() != Stage.ENDED) {
                return;
            }
            listen(guest.untilLate(sleep));
        } catch (PodException e) {
            mailbox.checkDetaching();
            // with the connection lost, the message that says so is on its way
            if (e.kind() != Kind.MACHINE) {
                events.warning("AgentFailed", e.describe());
            }
            listen(patience.retry());
        }
    }

    private void listen(Duration patient) throws InterruptedException {
        var next = mailbox.next(patient);
        if (next != null) {
            try {
                handle(next);
            } catch (PodException e) {
                mailbox.checkDetaching();
                events.warning("AgentFailed", e.describe());
            }
        }
    }

    private void handle(PodMessage next) throws PodException, InterruptedException {
        switch (next) {
            case PodMessage.Reported reported -> guest.report(reported.report());
            case PodMessage.Drained drained -> guest.drained(drained.container());
            case PodMessage.MachineEnded ended -> machineEnded(ended.end());
            case PodMessage.ConnectionLost lost -> connectionLost(lost.agent());
            case PodMessage.StopAsked _ -> book.fail("Stopped", "");
            case PodMessage.Asked asked -> asked.work().run();
            case PodMessage.AgentMeasured _, PodMessage.PresentTold _, PodMessage.Wake _ -> {}
        }
    }

    /** After a connection was made the guest is right about what it has. */
    private void settle() throws PodException, InterruptedException {
        var until = Deadline.after(patience.report());
        var agent = link.agent();
        Set<ContainerId> present = new HashSet<>();
        var told = slots.isEmpty();
        while (!told && !book.failed() && !until.passed()) {
            var next = mailbox.next(until.left());
            if (next instanceof PodMessage.Reported reported) {
                present.add(reported.report().id());
            }
            if (next instanceof PodMessage.PresentTold mark) {
                told = mark.agent().equals(agent);
            } else if (next instanceof PodMessage.Asked asked) {
                calls.later(asked);
            } else if (next != null) {
                handle(next);
            }
        }
        calls.askLater();
        if (!book.failed()) {
            containers.settle(agent, told ? Optional.of(present) : Optional.empty());
        }
    }

    private void machineEnded(MachineEnd end) {
        if (link.sandbox().isPresent() || book.stage() == Stage.STARTED) {
            guest.bury("Error", "the machine ended: " + end.detail());
            book.fail(
                    MachineEnds.word(end.reason()),
                    "the machine ended: "
                            + end.detail()
                            + ConsoleTail.quote(ConsoleTail.clean(end.console())));
        }
    }

    private void connectionLost(Agent lost) throws PodException, InterruptedException {
        if (book.failed()) {
            return;
        }
        GuestLink.Reconnection outcome;
        try {
            mailbox.allowInterrupt();
            try {
                outcome = link.reconnect(lost);
            } finally {
                var _ = mailbox.forbidInterrupt();
            }
        } catch (InterruptedException e) {
            mailbox.checkDetaching();
            // somebody stops it: no connection is needed for that
            return;
        }
        switch (outcome) {
            case GuestLink.Reconnection.Unneeded _ -> {}
            case GuestLink.Reconnection.Connected _ -> {
                shares.resume(link.agent());
                settle();
            }
            case GuestLink.Reconnection.Dead(var end) -> machineEnded(end);
            case GuestLink.Reconnection.Failed(var text) -> book.fail("AgentLost", text);
        }
    }

    /** Goes on with all stops of containers; returns when to look again. */
    private Duration stopSteps(Duration sleep) throws PodException, InterruptedException {
        var result = sleep;
        var call = Deadline.after(patience.kill());
        for (var slot : slots) {
            var stopBy = slot.stopBy;
            if (stopBy != null && slot.running()) {
                switch (guest.stopStep(slot, stopBy, call)) {
                    case GuestContainers.StopStep.Wait(var time) ->
                            result = Waits.shorter(result, time);
                    case GuestContainers.StopStep.Stuck _ -> {
                        book.fail(
                                "StopForced",
                                "the guest did not end container "
                                        + slot.name()
                                        + " after SIGKILL");
                        return Duration.ZERO;
                    }
                }
            }
        }
        return result;
    }

    /** The journal knows that it ends before anything does. */
    private void end() throws InterruptedException {
        book.publishLeniently();
        killAll();
        guest.bury("Error", "its pod sandbox was stopped");
        shares.forgetAll();
        link.release();
        guest.endPumps();
        mailbox.checkDetaching();
        ports.images().release(id.pod());
        book.ended();
    }

    /** A guest that does not listen any more is not waited for: its machine ends. */
    private void killAll() throws InterruptedException {
        var until = Deadline.after(patience.kill());
        var now = Deadline.after(Duration.ZERO);
        slots.forEach(slot -> slot.stopBy = now);
        try {
            while (!until.passed()
                    && link.machine().filter(machine -> machine.alive()).isPresent()
                    && slots.stream().anyMatch(GuestContainer::running)) {
                var sleep = Waits.shorter(until.left(), stopSteps(until.left()));
                guest.settleLate();
                var next = mailbox.next(guest.untilLate(sleep));
                switch (next) {
                    case PodMessage.ConnectionLost _ -> {
                        return;
                    }
                    case PodMessage.Asked asked -> calls.later(asked);
                    case null -> {}
                    default -> handle(next);
                }
            }
        } catch (PodException e) {
            mailbox.checkDetaching();
        } finally {
            calls.askLater();
        }
    }

    private final class Owner implements GuestContainers.Owner<SandboxSlot> {
        @Override
        public void firstOutput(SandboxSlot slot) {}

        @Override
        public void ended(SandboxSlot slot, Terminated state) {
            if (slot.real) {
                book.happened(SandboxEvent.Type.STOPPED, Optional.of(slot.attempt()));
            }
        }
    }
}
