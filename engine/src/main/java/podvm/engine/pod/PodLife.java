package podvm.engine.pod;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import podvm.engine.Agent;
import podvm.engine.Agent.ContainerReport;
import podvm.engine.ContainerId;
import podvm.engine.ContainerSpec;
import podvm.engine.Deadline;
import podvm.engine.Image;
import podvm.engine.Machine;
import podvm.engine.MachineEnd;
import podvm.engine.MachineSize;
import podvm.engine.PodEvent;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodRecord;
import podvm.engine.PodSpec;
import podvm.engine.PodSpec.RestartPolicy;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState.Running;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.PodStatus.ContainerState.Waiting;
import podvm.engine.PodStatus.Phase;
import podvm.engine.PodStatus.Stage;
import podvm.engine.Progress;
import podvm.engine.log.PodLogs;

/**
 * One pod from acceptance to its end, on one virtual thread. The thread compares what should be
 * with what is, acts, publishes, and sleeps until a message or the next restart is due; so a pod
 * that was adopted from an earlier daemon goes the same way as a new one.
 */
final class PodLife {
    private static final Duration CALL = Duration.ofSeconds(60);
    private static final Duration PULL = Duration.ofHours(1);

    /** A connection that lasted this long is not counted against the next one. */
    private static final Duration STABLE = Duration.ofMinutes(1);

    private static final Duration FIRST_STEPS = Duration.ofMillis(500);
    private static final int RECONNECTS = 3;
    private static final int MAX_STAGES = 200;

    private final PodSpec spec;
    private final PodId id;
    private final Ports ports;
    private final EngineSettings settings;
    private final Patience patience;
    private final StatusBoard board;
    private final PodLogs logs;
    private final Progress pulls;
    private final SandboxStart starter;
    private final LinkedBlockingQueue<PodMessage> mailbox = new LinkedBlockingQueue<>();
    private final List<ContainerSlot> slots = new ArrayList<>();
    private final List<Stage> timeline;
    private final Thread thread;
    private final CountDownLatch adoption;
    private final Object startLock = new Object();
    private boolean interruptible;
    private PodRecord.Stage stage;
    private String reason;
    private String message;
    private String console;
    private Optional<MachineSize> size;
    private Optional<Long> agentRss;
    private @Nullable Deadline stopBy;
    private @Nullable Deadline killedBy;
    private boolean failed;
    private boolean unsaved;
    private boolean measuring;
    private int reconnects;
    private Deadline stable = Deadline.after(STABLE);
    private volatile @Nullable Sandbox sandbox;
    private volatile boolean detaching;

    PodLife(
            PodRecord record,
            Ports ports,
            EngineSettings settings,
            Patience patience,
            Progress pulls) {
        var status = record.status();
        this.spec = status.spec();
        this.id = status.id();
        this.ports = ports;
        this.settings = settings;
        this.patience = patience;
        this.pulls = pulls;
        this.board = new StatusBoard(status);
        this.logs = new PodLogs(ports.journals().logs(id));
        this.stage = record.stage();
        this.size = status.size();
        this.agentRss = status.agentRssBytes();
        this.measuring = agentRss.isPresent();
        this.reason = status.reason();
        this.message = status.message();
        this.console = status.console();
        this.failed = !status.reason().isEmpty();
        this.timeline = new ArrayList<>(status.timeline());
        this.starter = new SandboxStart(id, spec, ports, settings, this::reached);
        spec.initContainers().forEach(one -> slots.add(slot(one, true)));
        spec.containers().forEach(one -> slots.add(slot(one, false)));
        for (int i = 0; i < Math.min(slots.size(), status.containers().size()); i++) {
            slots.get(i)
                    .adopt(
                            status.containers().get(i),
                            record.images().isEmpty() ? null : record.images().get(i));
        }
        this.adoption = new CountDownLatch(stage == PodRecord.Stage.STARTED ? 1 : 0);
        this.thread = Thread.ofVirtual().name("pod-" + id.brief()).unstarted(this::live);
        if (record.stage() == PodRecord.Stage.ENDED) {
            logs.complete();
        }
    }

    private ContainerSlot slot(ContainerSpec container, boolean init) {
        return new ContainerSlot(
                container, init, new Backoff(settings.firstBackoff(), settings.lastBackoff()));
    }

    void start() {
        thread.start();
    }

    PodStatus status() {
        return board.status();
    }

    StatusBoard board() {
        return board;
    }

    PodLogs logs() {
        return logs;
    }

    PodSpec spec() {
        return spec;
    }

    /** Asks for a graceful end; the caller waits on the board. */
    void stop(Deadline deadline) {
        mailbox.add(new PodMessage.StopAsked(deadline));
        synchronized (startLock) {
            if (interruptible) {
                thread.interrupt();
            }
        }
    }

    /** Leaves the pod running for the next daemon; returns when this one has let go. */
    void detach() throws InterruptedException {
        detaching = true;
        mailbox.add(new PodMessage.Wake());
        thread.interrupt();
        thread.join();
    }

    /**
     * Waits while this daemon takes up what an earlier one left running: until then the pod is
     * known as running, but cannot be spoken to.
     */
    void awaitAdoption() throws InterruptedException {
        adoption.await();
    }

    /** The agent of a running pod. */
    Agent agent() throws PodException {
        var now = sandbox;
        if (now == null) {
            throw new PodException(
                    Kind.CONFLICT,
                    "pod " + spec.name() + " is not running",
                    "podvm ps -a shows its state");
        }
        return now.agent();
    }

    Optional<Machine> machine() {
        return Optional.ofNullable(sandbox).map(Sandbox::machine);
    }

    /** Empty: the first container of the pod that is not an init container. */
    ContainerSlot container(Optional<String> name) throws PodException {
        var wanted = name.orElse(spec.containers().getFirst().name());
        return slots.stream()
                .filter(slot -> slot.spec.name().equals(wanted))
                .findFirst()
                .orElseThrow(() ->
                        new PodException(
                                Kind.NOT_FOUND,
                                "pod " + spec.name() + " has no container " + wanted,
                                "it has "
                                        + String.join(
                                                ", ",
                                                slots.stream()
                                                        .map(slot -> slot.spec.name())
                                                        .toList())));
    }

    // ---- the pod's own thread, from here on ----

    private void live() {
        try {
            try {
                if (enter()) {
                    loop();
                }
            } catch (PodException e) {
                checkDetaching();
                starter.machineEnd().ifPresent(end -> console = ConsoleTail.clean(end.console()));
                fail(failure(e), e.describe());
            } catch (InterruptedException e) {
                if (detaching) {
                    throw e;
                }
                fail("Stopped", "stopped before its containers ran");
            } catch (RuntimeException bug) {
                fail("InternalError", bug.toString());
            }
            end();
        } catch (InterruptedException e) {
            // this daemon ends; the journal says how far the pod had got
            letGo();
        } catch (Error bug) {
            event(PodEvent.Severity.WARNING, "Bug", bug.toString());
            throw bug;
        } finally {
            adoption.countDown();
        }
    }

    private String failure(PodException e) {
        boolean machine = e.kind() == Kind.MACHINE || e.kind() == Kind.DEADLINE;
        return machine && !images().isEmpty() ? "MachineFailed" : "StartFailed";
    }

    private void checkDetaching() throws InterruptedException {
        if (detaching) {
            throw new InterruptedException("the daemon lets go of pod " + spec.name());
        }
    }

    /** False when the pod ended on the way, or had ended before an earlier daemon could say so. */
    private boolean enter() throws PodException, InterruptedException {
        if (failed || finished()) {
            return false;
        }
        if (stage == PodRecord.Stage.STARTED) {
            var adopted = starter.adopt(size.orElseThrow());
            if (adopted.isPresent()) {
                joined(adopted.get());
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
        startFromNothing();
        return true;
    }

    /** Nothing is lost when a stop interrupts this; later it is a message like any other. */
    private void startFromNothing() throws PodException, InterruptedException {
        allowInterrupt();
        try {
            starter.sweep();
            var images = pull();
            reached("images.ready");
            var machineSize = Sizing.of(spec, settings);
            size = Optional.of(machineSize);
            stage = PodRecord.Stage.STARTED;
            joined(starter.boot(machineSize, images, this::publish));
        } catch (PodException e) {
            if (forbidInterrupt()) {
                // what an interrupt does to a file is told as a failure of the file
                var stopped = new InterruptedException("stopped");
                stopped.initCause(e);
                throw stopped;
            }
            throw e;
        } finally {
            var _ = forbidInterrupt();
        }
    }

    private void allowInterrupt() throws InterruptedException {
        synchronized (startLock) {
            if (mailbox.stream().anyMatch(PodMessage.StopAsked.class::isInstance)) {
                throw new InterruptedException("stopped before it began");
            }
            interruptible = true;
        }
    }

    /**
     * Whether there was an interrupt; it is forgotten, since the mailbox says what it was about.
     */
    private boolean forbidInterrupt() {
        synchronized (startLock) {
            interruptible = false;
            return Thread.interrupted();
        }
    }

    private List<Image> pull() throws PodException, InterruptedException {
        var images = new ArrayList<Image>();
        for (var slot : slots) {
            var image = pull(slot.spec);
            // told now rather than when the pod is to be stopped
            var _ = Signals.parse(image.config().stopSignal());
            slot.image = image;
            slot.waitFor("PodInitializing", "", Instant.EPOCH);
            images.add(image);
        }
        return images;
    }

    /**
     * A store tells of registries and files; which of the pod's images it was about is told here.
     */
    private Image pull(ContainerSpec container) throws PodException, InterruptedException {
        var name = container.image();
        try {
            while (true) {
                var image =
                        ports.images()
                                .pull(name, container.pullPolicy(), pulls, Deadline.after(PULL));
                if (ports.images().hold(id, spec.namespace() + "/" + spec.name(), image.id())) {
                    return image;
                }
                // somebody removed it at this very moment
            }
        } catch (PodException e) {
            var message = String.valueOf(e.getMessage());
            if (message.contains(name)) {
                throw e;
            }
            throw new PodException(
                    e.kind(), "cannot get the image " + name + ": " + message, e.remedy(), e);
        }
    }

    private void joined(Sandbox made) {
        sandbox = made;
        listen(made.agent());
        Thread.ofVirtual()
                .name("machine-" + id.brief())
                .start(() -> {
                    try {
                        mailbox.add(new PodMessage.MachineEnded(made.machine().awaitEnd()));
                    } catch (InterruptedException e) {
                        throw new IllegalStateException("nobody interrupts this thread", e);
                    }
                });
    }

    private void listen(Agent agent) {
        Thread.ofVirtual()
                .name("watch-" + id.brief())
                .start(() -> {
                    try {
                        agent.watch(new Listening(agent));
                    } catch (PodException | InterruptedException e) {
                        // told below, like an end without error
                    } finally {
                        mailbox.add(new PodMessage.ConnectionLost(agent));
                    }
                });
    }

    private final class Listening implements Agent.Watcher {
        private final Agent agent;

        private Listening(Agent agent) {
            this.agent = agent;
        }

        @Override
        public void changed(ContainerReport report) {
            mailbox.add(new PodMessage.Reported(report));
        }

        @Override
        public void presentTold() {
            mailbox.add(new PodMessage.PresentTold(agent));
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
        while (!failed
                && !told
                && !until.passed()
                && slots.stream().anyMatch(ContainerSlot::unclear)) {
            var next = mailbox.poll(until.left().toNanos(), TimeUnit.NANOSECONDS);
            if (next instanceof PodMessage.PresentTold present) {
                told = present.agent().equals(agent());
            } else if (next != null) {
                handle(next);
            }
        }
        for (var slot : failed ? List.<ContainerSlot>of() : slots) {
            var attempt = slot.id;
            if (attempt != null && slot.state instanceof Waiting) {
                agent().remove(attempt, Deadline.after(CALL));
                slot.waitFor("PodInitializing", "", Instant.EPOCH);
            } else if (attempt != null && !slot.drained && slot.running()) {
                pump(slot, attempt, agent());
            }
        }
    }

    private void loop() throws PodException, InterruptedException {
        while (true) {
            try {
                for (var next = mailbox.poll(); next != null; next = mailbox.poll()) {
                    handle(next);
                }
                slots.forEach(this::settleLate);
                checkDetaching();
                var wake = failed ? Duration.ZERO : reconcile();
                publishLeniently();
                if (finished()) {
                    return;
                }
                var next = mailbox.poll(sleep(wake).toNanos(), TimeUnit.NANOSECONDS);
                if (next != null) {
                    handle(next);
                }
            } catch (PodException e) {
                checkDetaching();
                survive(e);
            }
        }
    }

    private Duration sleep(Duration wake) {
        var result = wake;
        if (unsaved && patience.retry().compareTo(result) < 0) {
            result = patience.retry();
        }
        for (var slot : slots) {
            var drainBy = slot.drainBy;
            if (drainBy != null && drainBy.left().compareTo(result) < 0) {
                result = drainBy.left();
            }
        }
        return result;
    }

    /**
     * A call failed: with the machine dead the message that says so is on its way, otherwise the
     * containers cannot be run.
     */
    private void survive(PodException failure) throws PodException, InterruptedException {
        if (failure.kind() != Kind.MACHINE || sandbox == null) {
            throw failure;
        }
        var until = Deadline.after(Duration.ofSeconds(5));
        while (!failed && !until.passed()) {
            var next = mailbox.poll(until.left().toNanos(), TimeUnit.NANOSECONDS);
            if (next != null) {
                handle(next);
                if (next instanceof PodMessage.ConnectionLost) {
                    return;
                }
            }
        }
        if (!failed) {
            throw failure;
        }
    }

    private boolean finished() {
        return failed
                || (apps().allMatch(this::done)
                        && slots.stream().noneMatch(ContainerSlot::running));
    }

    /**
     * Ended for good: also what could not even be started is tried again where restarts are due.
     */
    private boolean done(ContainerSlot slot) {
        return slot.state instanceof Terminated ended && (stopBy != null || !wanted(ended));
    }

    private Stream<ContainerSlot> apps() {
        return slots.stream().filter(slot -> !slot.init);
    }

    /**
     * Does what can be done now; returns how long nothing needs to be done unless a message comes.
     */
    private Duration reconcile() throws PodException, InterruptedException {
        if (stopBy != null) {
            return stopStep(stopBy);
        }
        for (var slot : slots) {
            if (slot.init && !slot.succeeded()) {
                return initStep(slot);
            }
        }
        var sleep = Duration.ofHours(1);
        for (var slot : apps().toList()) {
            if (slot.state instanceof Terminated ended && wanted(ended)) {
                restart(slot, ended);
            }
            if (slot.state instanceof Waiting) {
                var left = Duration.between(Instant.now(), slot.due);
                if (left.isPositive()) {
                    sleep = left.compareTo(sleep) < 0 ? left : sleep;
                } else {
                    run(slot);
                    if (slot.state instanceof Terminated) {
                        sleep = Duration.ZERO;
                    }
                }
            }
        }
        return finished() ? Duration.ZERO : sleep;
    }

    private boolean wanted(Terminated ended) {
        return switch (spec.restartPolicy()) {
            case ALWAYS -> true;
            case ON_FAILURE -> ended.exitCode() != 0;
            case NEVER -> false;
        };
    }

    private Duration initStep(ContainerSlot slot) throws PodException, InterruptedException {
        if (slot.state instanceof Terminated ended) {
            if (spec.restartPolicy() == RestartPolicy.NEVER) {
                skipApps();
                fail(
                        "InitContainerFailed",
                        "init container "
                                + slot.spec.name()
                                + " ended with exit code "
                                + ended.exitCode());
                return Duration.ZERO;
            }
            restart(slot, ended);
        }
        if (slot.running()) {
            return Duration.ofHours(1);
        }
        var left = Duration.between(Instant.now(), slot.due);
        if (left.isPositive()) {
            return left;
        }
        run(slot);
        return slot.running() ? Duration.ofHours(1) : Duration.ZERO;
    }

    private void skipApps() {
        apps().filter(slot -> slot.state instanceof Waiting)
                .forEach(slot -> slot.state = new Waiting("PodFailed", ""));
    }

    private void restart(ContainerSlot slot, Terminated ended)
            throws PodException, InterruptedException {
        var attempt = slot.id;
        if (attempt != null) {
            agent().remove(attempt, Deadline.after(CALL));
        }
        var delay = slot.backoff.after(ended.started(), ended.finished());
        var text = delay.isZero() ? "" : "restarting in " + delay.toSeconds() + " s";
        slot.waitFor("CrashLoopBackOff", text, Instant.now().plus(delay));
    }

    private void run(ContainerSlot slot) throws PodException, InterruptedException {
        var now = sandbox;
        var image = slot.image;
        if (now == null || image == null) {
            throw new IllegalStateException("a container is run before its machine");
        }
        var attempt = ContainerId.random();
        slot.id = attempt;
        try {
            // known before it exists: else a daemon that dies now would leave a container that the
            // next one runs again
            publish();
        } catch (PodException e) {
            checkDetaching();
            slot.waitFor("JournalFailed", e.describe(), Instant.now().plus(patience.retry()));
            return;
        }
        var began = Instant.now();
        try {
            var env =
                    new Environment(id, spec, settings.nodeName(), now.ips(), now.size())
                            .of(slot.spec);
            var plan = ContainerPlans.of(attempt, spec, slot.spec, image, env, now.size());
            now.agent().create(plan, Deadline.after(CALL));
            pump(slot, attempt, now.agent());
            var failure = now.agent().start(attempt, Deadline.after(CALL));
            if (failure.isPresent()) {
                ended(
                        slot,
                        new Terminated(
                                failure.get().exitCode(),
                                0,
                                "StartError",
                                failure.get().message(),
                                began,
                                Instant.now()));
            } else if (slot.state instanceof Waiting) {
                slot.state = new Running(Instant.now());
                reached("container.started " + slot.spec.name());
                measure(now.agent());
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
                        ended(
                                slot,
                                new Terminated(
                                        128, 0, "CreateError", e.describe(), began, Instant.now()));
            }
        }
    }

    /** A moment later, since the first steps of the container count more. */
    private void measure(Agent agent) {
        if (measuring) {
            return;
        }
        measuring = true;
        Thread.ofVirtual()
                .name("measure-" + id.brief())
                .start(() -> {
                    try {
                        Thread.sleep(FIRST_STEPS);
                        var info = agent.infoNow(Deadline.after(CALL));
                        mailbox.add(new PodMessage.AgentMeasured(info.agentRssBytes()));
                    } catch (PodException | InterruptedException e) {
                        // the pod has ended, or its connection: who listens there tells
                    }
                });
    }

    /**
     * Carries the output of one attempt into its log until its end; on a full disk the container
     * waits and the pump tries again.
     */
    private void pump(ContainerSlot slot, ContainerId attempt, Agent agent) {
        int number = slot.restarts;
        var before = slot.pump;
        slot.pump =
                Thread.ofVirtual()
                        .name("log-" + attempt.brief())
                        .start(() -> {
                            try {
                                if (before != null) {
                                    // a log has one writer at a time
                                    before.join();
                                }
                                while (!pumpOnce(slot, attempt, number, agent)) {
                                    Thread.sleep(patience.retry());
                                }
                                mailbox.add(new PodMessage.Drained(attempt));
                            } catch (InterruptedException e) {
                                // the pod ends, or the daemon lets go of it
                            } catch (PodException e) {
                                // a lost connection: whoever connects again starts the next pump
                                if (e.kind() != Kind.MACHINE && !detaching) {
                                    event(PodEvent.Severity.WARNING, "LogFailed", e.describe());
                                }
                            }
                        });
    }

    private boolean pumpOnce(ContainerSlot slot, ContainerId attempt, int number, Agent agent)
            throws PodException, InterruptedException {
        try (var writer = logs.writer(slot.spec.name(), number, settings.logs())) {
            agent.readOutput(attempt, slot.output.to(writer, attempt, () -> firstOutput(slot)));
            return true;
        } catch (PodException e) {
            if (e.kind() != Kind.EXHAUSTED) {
                throw e;
            }
            event(PodEvent.Severity.WARNING, "LogWaits", e.describe());
            return false;
        }
    }

    private void firstOutput(ContainerSlot slot) {
        reached("container.output " + slot.spec.name());
        mailbox.add(new PodMessage.Wake());
    }

    private void handle(PodMessage next) throws PodException, InterruptedException {
        switch (next) {
            case PodMessage.Reported reported -> report(reported.report());
            case PodMessage.Drained drained ->
                    byId(drained.container())
                            .ifPresent(slot -> {
                                slot.drained = true;
                                settle(slot);
                            });
            case PodMessage.AgentMeasured agent -> agentRss = Optional.of(agent.rssBytes());
            case PodMessage.MachineEnded ended -> machineEnded(ended.end());
            case PodMessage.ConnectionLost lost -> reconnect(lost.agent());
            case PodMessage.StopAsked stop ->
                    stopBy = stopBy == null ? stop.deadline() : earlier(stopBy, stop.deadline());
            case PodMessage.PresentTold _, PodMessage.Wake _ -> {}
        }
    }

    private static Deadline earlier(Deadline a, Deadline b) {
        return a.left().compareTo(b.left()) < 0 ? a : b;
    }

    private Optional<ContainerSlot> byId(ContainerId container) {
        return slots.stream().filter(slot -> container.equals(slot.id)).findFirst();
    }

    private void report(ContainerReport report) {
        byId(report.id())
                .ifPresent(slot -> {
                    switch (report.phase()) {
                        case CREATED -> {}
                        case RUNNING -> {
                            if (slot.state instanceof Waiting) {
                                slot.state = new Running(report.started());
                            }
                        }
                        case EXITED -> {
                            if (slot.state instanceof Waiting) {
                                slot.state = new Running(report.started());
                            }
                            if (slot.exit == null && slot.running()) {
                                slot.exit = report;
                                slot.drainBy = Deadline.after(patience.drain());
                                settle(slot);
                            }
                        }
                    }
                });
    }

    /**
     * A container counts as ended when its output is in the log too, so that who waits for the end
     * has it all.
     */
    private void settle(ContainerSlot slot) {
        var exit = slot.exit;
        if (exit != null && slot.drained) {
            ended(slot, terminated(exit));
        }
    }

    private void settleLate(ContainerSlot slot) {
        var exit = slot.exit;
        var drainBy = slot.drainBy;
        if (exit != null && drainBy != null && drainBy.passed()) {
            ended(slot, terminated(exit));
        }
    }

    private static Terminated terminated(ContainerReport exit) {
        var why = exit.oomKilled() ? "OOMKilled" : exit.exitCode() == 0 ? "Completed" : "Error";
        return new Terminated(
                exit.exitCode(), exit.signal(), why, "", exit.started(), exit.exited());
    }

    private void ended(ContainerSlot slot, Terminated state) {
        if (slot.state instanceof Terminated) {
            return;
        }
        slot.state = state;
        slot.drainBy = null;
        reached("container.ended " + slot.spec.name());
        event(
                state.exitCode() == 0 ? PodEvent.Severity.NORMAL : PodEvent.Severity.WARNING,
                state.reason(),
                "container %s ended with exit code %d%s"
                        .formatted(
                                slot.spec.name(),
                                state.exitCode(),
                                state.message().isEmpty() ? "" : ": " + state.message()));
    }

    private void machineEnded(MachineEnd end) {
        if (failed) {
            return;
        }
        console = ConsoleTail.clean(end.console());
        for (var queued : mailbox) {
            if (queued instanceof PodMessage.Reported reported) {
                report(reported.report());
            }
        }
        bury(end.detail());
        var why =
                switch (end.reason()) {
                    case POWER_OFF -> "GuestPoweredOff";
                    case GUEST_PANIC -> "GuestPanic";
                    case VMM_FAILED -> "VmmFailed";
                    case VMM_KILLED -> "VmmKilled";
                    case CLOSED -> "MachineClosed";
                };
        fail(why, "the machine ended: " + end.detail());
    }

    /** No container outlives its machine. */
    private void bury(String why) {
        for (var slot : slots) {
            if (slot.exit != null) {
                ended(slot, terminated(slot.exit));
            } else if (slot.running() || slot.unclear()) {
                var started =
                        slot.state instanceof Running running ? running.started() : Instant.now();
                ended(
                        slot,
                        new Terminated(
                                128 + Signals.KILL,
                                Signals.KILL,
                                "MachineEnded",
                                why,
                                started,
                                Instant.now()));
            }
        }
    }

    private void reconnect(Agent lost) throws PodException, InterruptedException {
        var now = sandbox;
        if (now == null || !now.agent().equals(lost) || failed) {
            return;
        }
        lost.close();
        if (!now.machine().alive()) {
            machineEnded(now.machine().awaitEnd());
            return;
        }
        reconnects = stable.passed() ? 1 : reconnects + 1;
        if (reconnects > RECONNECTS) {
            fail(
                    "AgentLost",
                    "the connection to the agent breaks again and again"
                            + ConsoleTail.quote(ConsoleTail.read(now.machine().consoleLog())));
            return;
        }
        event(
                PodEvent.Severity.WARNING,
                "AgentReconnect",
                "the connection to the agent was lost; connecting again");
        Agent agent;
        try {
            agent = now.owned().add(starter.reconnect(now.machine()));
        } catch (PodException e) {
            checkDetaching();
            if (now.machine().alive()) {
                fail("AgentLost", e.describe());
            } else {
                machineEnded(now.machine().awaitEnd());
            }
            return;
        }
        stable = Deadline.after(STABLE);
        sandbox = new Sandbox(now.machine(), now.network(), now.size(), agent, now.owned());
        listen(agent);
        settle();
    }

    /** Signals once, kills at the deadline, and gives up on the guest a while later. */
    private Duration stopStep(Deadline deadline) throws PodException, InterruptedException {
        var running = slots.stream().filter(ContainerSlot::running).toList();
        for (var slot : slots) {
            if (slot.state instanceof Waiting && !slot.init) {
                ended(
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
        if (running.isEmpty()) {
            return Duration.ZERO;
        }
        if (killedBy != null) {
            if (killedBy.passed()) {
                fail("StopForced", "the guest did not end its containers after SIGKILL");
            }
            return killedBy.left();
        }
        boolean kill = deadline.passed();
        var call = Deadline.after(patience.kill());
        for (var slot : running) {
            if (slot.exit == null && (kill || !slot.stopSignalSent)) {
                signal(slot, kill ? Signals.KILL : stopSignal(slot), call);
                slot.stopSignalSent = true;
            }
        }
        if (kill) {
            killedBy = Deadline.after(patience.kill());
            return patience.kill();
        }
        return deadline.left();
    }

    private int stopSignal(ContainerSlot slot) throws PodException {
        return slot.image == null
                ? Signals.parse("")
                : Signals.parse(slot.image.config().stopSignal());
    }

    private void signal(ContainerSlot slot, int number, Deadline call)
            throws PodException, InterruptedException {
        var attempt = slot.id;
        if (attempt == null) {
            return;
        }
        try {
            agent().signal(attempt, number, call);
        } catch (PodException e) {
            // not found: it has just ended, and its report is on the way; too late: a guest that
            // takes no signals is given up when its time to end is over
            if (e.kind() != Kind.NOT_FOUND && e.kind() != Kind.DEADLINE) {
                throw e;
            }
        }
    }

    private void fail(String why, String text) {
        failed = true;
        reason = why;
        message = text;
        event(PodEvent.Severity.WARNING, why, text);
    }

    /** Releases everything, then says so: who waits for the pod's end finds nothing left behind. */
    private void end() throws InterruptedException {
        bury(message.isEmpty() ? "its machine was ended" : message);
        publishLeniently();
        if (unsaved) {
            // the interrupt that lets go of a pod also keeps its end from being written: then the
            // next daemon must still find its machine
            checkDetaching();
        }
        var now = sandbox;
        sandbox = null;
        if (now != null) {
            release(now::close);
        }
        release(starter::sweep);
        endPumps();
        checkDetaching();
        ports.images().release(id);
        stage = PodRecord.Stage.ENDED;
        reached("ended");
        publishLeniently();
        // last: who follows the log to its end finds the pod ended
        logs.complete();
    }

    private interface Release {
        void run() throws PodException;
    }

    private void release(Release work) {
        try {
            work.run();
        } catch (PodException e) {
            event(PodEvent.Severity.WARNING, "ReleaseFailed", e.describe());
        }
    }

    /** With the connection closed they end by themselves, unless a client holds them up. */
    private void endPumps() throws InterruptedException {
        var patient = Deadline.after(patience.drain());
        for (var slot : slots) {
            var pump = slot.pump;
            if (pump != null && !pump.join(patient.left())) {
                pump.interrupt();
                var _ = pump.join(Duration.ofSeconds(1));
            }
        }
    }

    private void letGo() {
        var now = sandbox;
        if (now != null) {
            now.agent().close();
        }
        try {
            endPumps();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void reached(String name) {
        synchronized (timeline) {
            if (timeline.size() < MAX_STAGES) {
                timeline.add(new Stage(name, Instant.now()));
            }
        }
    }

    private void publish() throws PodException {
        var status = now();
        if (unsaved || !status.equals(board.status())) {
            ports.journals().write(new PodRecord(stage, status, images()));
            unsaved = false;
            board.publish(status);
        }
    }

    /** What has happened has happened: a journal that cannot be written now is written later. */
    private void publishLeniently() {
        try {
            publish();
        } catch (PodException e) {
            if (!unsaved) {
                event(PodEvent.Severity.WARNING, "JournalFailed", e.describe());
            }
            unsaved = true;
            board.publish(now());
        }
    }

    private List<Image> images() {
        var images = slots.stream().map(slot -> Optional.ofNullable(slot.image)).toList();
        return images.stream().allMatch(Optional::isPresent)
                ? images.stream().map(Optional::get).toList()
                : List.of();
    }

    private PodStatus now() {
        var before = board.status();
        var network = sandbox;
        synchronized (timeline) {
            return new PodStatus(
                    id,
                    spec,
                    phase(),
                    reason,
                    message,
                    console,
                    before.created(),
                    stage == PodRecord.Stage.ENDED ? Optional.of(Instant.now()) : Optional.empty(),
                    network == null ? before.ips() : network.ips(),
                    size,
                    agentRss,
                    slots.stream().map(ContainerSlot::status).toList(),
                    List.copyOf(timeline));
        }
    }

    private Phase phase() {
        if (stage == PodRecord.Stage.ENDED) {
            return !failed && slots.stream().allMatch(ContainerSlot::succeeded)
                    ? Phase.SUCCEEDED
                    : Phase.FAILED;
        }
        boolean initialised =
                slots.stream().filter(slot -> slot.init).allMatch(ContainerSlot::succeeded);
        boolean begun =
                apps().anyMatch(slot -> !(slot.state instanceof Waiting) || slot.restarts > 0);
        return initialised && begun ? Phase.RUNNING : Phase.PENDING;
    }

    private void event(PodEvent.Severity severity, String name, String text) {
        ports.events().on(new PodEvent(Instant.now(), id, spec.name(), severity, name, text));
    }
}
