package podvm.engine.pod;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import podvm.engine.Agent.ExecOutput;
import podvm.engine.Agent.ExecSession;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.MachineSize;
import podvm.engine.PodEvent;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.Pods.Attachment;
import podvm.engine.Pods.ExecSpec;
import podvm.engine.PortConnection;
import podvm.engine.Rollback;
import podvm.engine.SandboxBounds;
import podvm.engine.SandboxContainer;
import podvm.engine.SandboxEvent;
import podvm.engine.SandboxId;
import podvm.engine.SandboxRecord;
import podvm.engine.SandboxRecord.Stage;
import podvm.engine.SandboxResources;
import podvm.engine.SandboxSpec;
import podvm.engine.SandboxStatus;
import podvm.engine.Sandboxes;

/** All pod sandboxes of this node that were not removed. */
public final class SandboxTable implements Sandboxes, AutoCloseable {
    private final Ports ports;
    private final EngineSettings settings;
    private final Patience patience;
    private final SandboxEvents events = new SandboxEvents();
    private final Map<SandboxId, SandboxLife> lives = new LinkedHashMap<>();

    /** A copy, for who only looks: a journal is written while the other one is held. */
    private volatile Map<SandboxId, SandboxLife> shown = Map.of();

    private boolean closed;

    private SandboxTable(Ports ports, EngineSettings settings, Patience patience) {
        this.ports = ports;
        this.settings = settings;
        this.patience = patience;
    }

    /** Takes up what an earlier daemon left; what it had only begun to start is removed. */
    public static SandboxTable open(Ports ports, EngineSettings settings) throws PodException {
        return open(ports, settings, Patience.USUAL);
    }

    static SandboxTable open(Ports ports, EngineSettings settings, Patience patience)
            throws PodException {
        var table = new SandboxTable(ports, settings, patience);
        var records = new ArrayList<>(ports.sandboxJournals().readAll());
        records.sort(Comparator.comparing(SandboxRecord::created));
        for (var record : records) {
            if (record.stage() == Stage.STARTING) {
                table.forgetHalfStarted(record);
            } else {
                ports.history().found(SandboxPodStatus.of(record));
                table.hold(record);
                table.lives.put(record.id(), table.life(record));
            }
        }
        table.show();
        table.lives.values().forEach(SandboxLife::begin);
        return table;
    }

    /** Nobody was told of it. One that cannot be removed now is tried again by the next daemon. */
    private void forgetHalfStarted(SandboxRecord record) {
        var pod = record.id().pod();
        try {
            try (var all = new Rollback()) {
                all.add(() -> ports.volumes().destroy(pod));
                all.add(() -> ports.networks().destroy(pod));
                all.add(() -> ports.machines().destroy(pod));
            }
            ports.sandboxJournals().delete(record.id());
        } catch (PodException e) {
            ports.events()
                    .on(
                            new PodEvent(
                                    Instant.now(),
                                    pod,
                                    record.spec().metadata().name(),
                                    PodEvent.Severity.WARNING,
                                    "RemoveFailed",
                                    e.describe()));
        }
    }

    private void hold(SandboxRecord record) {
        if (record.stage() == Stage.STARTED) {
            new SandboxImages(record, ports.images()).holdAgain();
        }
    }

    private SandboxLife life(SandboxRecord record) {
        return new SandboxLife(
                record, ports, settings, patience, events, () -> failedToStart(record.id()));
    }

    private void failedToStart(SandboxId id) {
        synchronized (lives) {
            lives.remove(id);
            show();
        }
        try {
            ports.sandboxJournals().delete(id);
        } catch (PodException e) {
            // the next daemon finds it as one that was never ready, and tries again
        }
    }

    @Override
    public SandboxId run(SandboxSpec spec) throws PodException, InterruptedException {
        MachineSize size = Sizing.of(spec.limits(), settings);
        ports.machines().check(size, 1);
        ports.networks().check(SandboxLife.NETWORK, spec.ports());
        var record =
                new SandboxRecord(
                        SandboxId.random(),
                        spec,
                        Stage.STARTING,
                        Instant.now(),
                        size,
                        List.of(),
                        "",
                        "",
                        List.of(),
                        List.of(),
                        SandboxBounds.NONE);
        var life = life(record);
        synchronized (lives) {
            if (closed) {
                throw new PodException(
                        Kind.UNAVAILABLE, "the daemon is ending", "try again when it is back");
            }
            for (var other : lives.values()) {
                if (other.record().spec().metadata().equals(spec.metadata())) {
                    throw new PodException(
                            Kind.ALREADY_EXISTS,
                            "pod sandbox %s, attempt %d, is there already as %s"
                                    .formatted(
                                            spec.metadata(),
                                            spec.metadata().attempt(),
                                            other.record().id()),
                            "remove it first, or count the attempt up");
                }
            }
            ports.sandboxJournals().write(record);
            lives.put(record.id(), life);
            show();
            life.begin();
        }
        try {
            life.awaitStart();
        } catch (InterruptedException e) {
            life.askToStop();
            throw e;
        }
        return record.id();
    }

    Optional<SandboxLife> find(SandboxId sandbox) {
        return Optional.ofNullable(shown.get(sandbox));
    }

    private List<SandboxLife> all() {
        return List.copyOf(shown.values());
    }

    /** The caller holds {@code lives}, or is alone. */
    private void show() {
        shown = Collections.unmodifiableMap(new LinkedHashMap<>(lives));
    }

    /** For those who look at pods. */
    List<SandboxPod> known() {
        return all().stream()
                .filter(life -> life.record().stage() != Stage.STARTING)
                .map(SandboxPod::new)
                .toList();
    }

    /** Those that anybody was told of. */
    private List<SandboxRecord> records() {
        return all().stream()
                .map(SandboxLife::record)
                .filter(record -> record.stage() != Stage.STARTING)
                .toList();
    }

    @Override
    public void stop(SandboxId sandbox) throws PodException, InterruptedException {
        var life = find(sandbox);
        if (life.isPresent()) {
            life.get().stop();
        }
    }

    @Override
    public void remove(SandboxId sandbox) throws PodException, InterruptedException {
        var life = find(sandbox);
        if (life.isPresent()) {
            life.get().stop();
            var last = SandboxPodStatus.of(life.get().record());
            life.get().forget();
            boolean gone;
            synchronized (lives) {
                gone = lives.remove(sandbox) != null;
                show();
            }
            if (gone) {
                ports.history().removed(last);
            }
        }
    }

    @Override
    public SandboxStatus status(SandboxId sandbox) throws PodException {
        return life(sandbox).record().status();
    }

    /** Fails with NOT_FOUND. */
    SandboxLife life(SandboxId sandbox) throws PodException {
        return find(sandbox)
                .filter(life -> life.record().stage() != Stage.STARTING)
                .orElseThrow(() ->
                        new PodException(Kind.NOT_FOUND, "no such pod sandbox: " + sandbox, ""));
    }

    @Override
    public List<SandboxStatus> list() {
        return records().stream().map(SandboxRecord::status).toList();
    }

    @Override
    public ContainerId createContainer(SandboxId sandbox, ContainerConfig config)
            throws PodException, InterruptedException {
        var life = life(sandbox);
        return life.ask(() -> life.containers().create(config));
    }

    /** A container with the sandbox that has it. */
    record Place(SandboxLife life, SandboxSlot slot) {}

    private Optional<Place> place(ContainerId container) {
        for (var life : all()) {
            var slot = life.slot(container);
            if (slot.isPresent()) {
                return Optional.of(new Place(life, slot.get()));
            }
        }
        return Optional.empty();
    }

    /** Fails with NOT_FOUND. */
    Place known(ContainerId container) throws PodException {
        return place(container).orElseThrow(() -> unknown(container));
    }

    private static PodException unknown(ContainerId container) {
        return new PodException(Kind.NOT_FOUND, "no such container: " + container, "");
    }

    @Override
    public void startContainer(ContainerId container) throws PodException, InterruptedException {
        var place = known(container);
        var life = place.life();
        life.ask(() -> {
            life.containers().start(place.slot());
            return true;
        });
    }

    @Override
    public void stopContainer(ContainerId container, Duration timeout)
            throws PodException, InterruptedException {
        var place = place(container);
        if (place.isPresent()) {
            stop(place.get(), timeout);
        }
    }

    private static void stop(Place place, Duration timeout)
            throws PodException, InterruptedException {
        var life = place.life();
        var slot = place.slot();
        if (!running(life.record(), slot)) {
            return;
        }
        var patient = timeout.isNegative() ? Duration.ZERO : timeout;
        var deadline = Deadline.after(Waits.shorter(patient, Waits.LONGEST));
        life.insist(() -> {
            life.containers().stopBy(slot, deadline);
            return true;
        });
        for (var seen = life.record(); running(seen, slot); ) {
            seen = life.board().awaitChange(seen, Deadline.after(Waits.LONGEST));
        }
    }

    private static boolean running(SandboxRecord record, SandboxSlot slot) {
        return container(record, slot.attempt())
                .filter(one -> one.state() == SandboxContainer.State.RUNNING)
                .isPresent();
    }

    private static Optional<SandboxContainer> container(SandboxRecord record, ContainerId id) {
        // asked for each sandbox of the node: without a list in between
        for (var held : record.containers()) {
            if (held.real() && held.container().id().equals(id)) {
                return Optional.of(held.container());
            }
        }
        return Optional.empty();
    }

    @Override
    public void removeContainer(ContainerId container) throws PodException, InterruptedException {
        var place = place(container);
        if (place.isPresent()) {
            stop(place.get(), Duration.ZERO);
            var life = place.get().life();
            life.insist(() -> {
                life.containers().remove(place.get().slot());
                return true;
            });
        }
    }

    @Override
    public SandboxContainer container(ContainerId container) throws PodException {
        for (var life : all()) {
            var found = container(life.record(), container);
            if (found.isPresent()) {
                return found.get();
            }
        }
        throw unknown(container);
    }

    @Override
    public List<SandboxContainer> containers() {
        return records().stream()
                .flatMap(record -> record.realContainers().stream())
                .sorted(Comparator.comparing(SandboxContainer::created))
                .toList();
    }

    @Override
    public List<SandboxContainer> containers(SandboxId sandbox) {
        return find(sandbox).stream()
                .flatMap(life -> life.record().realContainers().stream())
                .sorted(Comparator.comparing(SandboxContainer::created))
                .toList();
    }

    /** A container that runs, in a sandbox that can be spoken to. */
    private Place runningNow(ContainerId container) throws PodException, InterruptedException {
        var place = known(container);
        place.life().awaitSettled();
        if (!place.slot().running()) {
            throw new PodException(
                    Kind.CONFLICT,
                    "container " + place.slot().name() + " (" + container + ") is not running",
                    "");
        }
        return place;
    }

    @Override
    public void reopenLog(ContainerId container) throws PodException, InterruptedException {
        var writer = runningNow(container).slot().writer;
        if (writer != null) {
            writer.reopen();
        }
    }

    @Override
    public ExecSession exec(ContainerId container, ExecSpec spec, ExecOutput output)
            throws PodException, InterruptedException {
        var plan = ExecPlans.of(spec, "");
        var place = runningNow(container);
        return place.life().link().agent().exec(container, plan, spec.stdin(), output);
    }

    @Override
    public Attachment attach(ContainerId container, ExecOutput output)
            throws PodException, InterruptedException {
        var place = runningNow(container);
        var life = place.life();
        return new ContainerAttachment(
                place.slot(), container, life.link(), () -> exitCode(life, container), output);
    }

    /** Of one that is removed before anybody looks: that of a killed one. */
    static int exitCode(SandboxLife life, ContainerId container)
            throws PodException, InterruptedException {
        for (var seen = life.record();
                ;
                seen = life.board().awaitChange(seen, Deadline.after(Waits.LONGEST))) {
            var now = container(seen, container);
            if (now.isEmpty()) {
                return 128 + Signals.KILL;
            }
            switch (now.get().state()) {
                case CREATED, RUNNING -> {}
                case EXITED, UNKNOWN -> {
                    return now.get().exitCode();
                }
            }
        }
    }

    @Override
    public SandboxResources resources() {
        return new RunningResources(this);
    }

    @Override
    public PortConnection connect(SandboxId sandbox, int port)
            throws PodException, InterruptedException {
        var life = life(sandbox);
        life.awaitSettled();
        return life.link().agent().ports().connect(port);
    }

    @Override
    public SandboxEvent.Subscription subscribe(SandboxEvent.Listener listener) {
        return events.subscribe(listener);
    }

    /** Whether a machine runs here for somebody. */
    public boolean busy() {
        return all().stream().anyMatch(life -> life.record().stage() != Stage.ENDED);
    }

    /** Leaves all sandboxes as they are for the next daemon. */
    @Override
    public void close() {
        synchronized (lives) {
            closed = true;
        }
        boolean interrupted = false;
        for (var life : all()) {
            try {
                life.detach();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
