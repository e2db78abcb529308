package podvm.engine.pod;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import podvm.engine.Agent;
import podvm.engine.Agent.ContainerPlan;
import podvm.engine.Agent.MountPlan;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.MountSource;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.GuestResources;
import podvm.engine.Image;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodStatus.ContainerState.Running;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.SandboxBounds;
import podvm.engine.SandboxEvent;
import podvm.engine.SandboxId;
import podvm.engine.SandboxSpec;
import podvm.engine.log.LogSink;
import podvm.engine.log.LogWriter;
import podvm.engine.log.NoLog;

/** What is done to the containers of one pod sandbox, all of it on its own thread. */
final class SandboxContainers {
    private static final Duration CALL = Duration.ofSeconds(60);

    private final SandboxId sandbox;
    private final SandboxSpec spec;
    private final EngineSettings settings;
    private final List<SandboxSlot> slots;
    private final SandboxImages images;
    private final SandboxDevices devices;
    private final GuestLink link;
    private final GuestContainers<SandboxSlot> guest;
    private final SandboxShares shares;
    private final SandboxBook book;
    private final SandboxDemands demands;

    SandboxContainers(
            SandboxId sandbox,
            SandboxSpec spec,
            EngineSettings settings,
            List<SandboxSlot> slots,
            SandboxImages images,
            SandboxDevices devices,
            GuestLink link,
            GuestContainers<SandboxSlot> guest,
            SandboxShares shares,
            SandboxBook book,
            SandboxDemands demands) {
        this.sandbox = sandbox;
        this.spec = spec;
        this.settings = settings;
        this.slots = slots;
        this.images = images;
        this.devices = devices;
        this.link = link;
        this.guest = guest;
        this.shares = shares;
        this.book = book;
        this.demands = demands;
    }

    private Sandbox ready() throws PodException {
        var now = link.sandbox();
        if (now.isEmpty() || book.failed()) {
            throw new PodException(
                    Kind.CONFLICT, "pod sandbox " + spec.metadata() + " is not ready", "");
        }
        return now.get();
    }

    /** In the journal before the guest has it: what nobody was told of, the next daemon removes. */
    ContainerId create(ContainerConfig asked) throws PodException, InterruptedException {
        var now = ready();
        check(asked);
        SandboxDemands.check(now, asked.resources());
        var image = images.held(asked.image());
        var _ = Signals.parse(image.config().stopSignal());
        var config = images.resolved(asked);
        var attempt = ContainerId.randomLong();
        var plan = plan(attempt, config, image, now.agent());
        var stopSignal = image.config().stopSignal();
        var slot = new SandboxSlot(attempt, sandbox, config, image.id(), stopSignal);
        slots.add(slot);
        boolean made = false;
        try {
            book.publish();
            demands.meet(now, config.resources());
            var deadline = Deadline.after(CALL);
            // they stay until the sandbox ends: the next container often has the same ones
            for (var layer : image.layers()) {
                now.machine().attach(layer.disk(), deadline);
            }
            for (var layer : images.layers(config)) {
                now.machine().attach(layer.disk(), deadline);
            }
            for (var disk : devices.disks(config)) {
                now.machine().attach(disk, deadline);
            }
            for (var mount : config.mounts()) {
                if (mount.source() instanceof MountSource.Files files) {
                    now.agent()
                            .putVolume(
                                    files.name(),
                                    PodUsers.owned(files.files(), spec.users()),
                                    deadline);
                }
            }
            shares.provide(attempt, now.agent(), deadline);
            slot.user = now.agent().create(plan, deadline);
            slot.real = true;
            book.happened(SandboxEvent.Type.CREATED, Optional.of(attempt));
            book.publish();
            made = true;
        } finally {
            if (!made) {
                slot.real = false;
                undo(now, slot);
            }
        }
        pump(slot, now.agent());
        return attempt;
    }

    private ContainerPlan plan(
            ContainerId attempt, ContainerConfig config, Image image, Agent agent)
            throws PodException, InterruptedException {
        boolean planned = false;
        try {
            var plan = ConfigPlans.of(attempt, config, image, spec.users(), new Outside(attempt));
            planned = true;
            return plan;
        } finally {
            if (!planned) {
                shares.release(attempt, agent);
            }
        }
    }

    private final class Outside implements ConfigPlans.Outside {
        private final ContainerId container;

        Outside(ContainerId container) {
            this.container = container;
        }

        @Override
        public MountPlan plan(ContainerConfig.Mount mount)
                throws PodException, InterruptedException {
            return mount.source() instanceof MountSource.ImageFiles files
                    ? images.plan(mount, files)
                    : shares.choose(container, mount);
        }

        @Override
        public MountPlan plan(ContainerConfig.Device device) throws PodException {
            return devices.plan(device);
        }
    }

    private void check(ContainerConfig config) throws PodException {
        for (var other : slots) {
            if (other.config.metadata().equals(config.metadata())) {
                throw new PodException(
                        Kind.ALREADY_EXISTS,
                        "pod sandbox %s has a container %s, attempt %d"
                                .formatted(
                                        spec.metadata(),
                                        config.metadata().name(),
                                        config.metadata().attempt()),
                        "remove it first, or count the attempt up");
            }
        }
        if (config.pidNamespace() instanceof ContainerConfig.PidNamespace.Target(var target)
                && slots.stream()
                        .noneMatch(slot -> slot.attempt().equals(target) && slot.running())) {
            throw new PodException(
                    Kind.NOT_FOUND,
                    "container "
                            + config.metadata().name()
                            + " is to see the processes of container "
                            + target
                            + ", which does not run in its pod sandbox",
                    "");
        }
    }

    private void undo(Sandbox now, SandboxSlot slot) throws InterruptedException {
        try {
            now.agent().remove(slot.attempt(), Deadline.after(CALL));
            slots.remove(slot);
            shares.release(slot.attempt(), now.agent());
            demands.relax(now, slot.config.resources());
        } catch (PodException e) {
            // its machine ends, or the next daemon removes it
        } finally {
            book.publishLeniently();
        }
    }

    void start(SandboxSlot slot) throws PodException, InterruptedException {
        var now = ready();
        if (!slot.waiting()) {
            throw new PodException(
                    Kind.CONFLICT,
                    "container " + slot.name() + " was started before",
                    "a container is started once");
        }
        var began = Instant.now();
        var failure = now.agent().start(slot.attempt(), Deadline.after(CALL));
        if (failure.isPresent()) {
            var text = failure.get().message();
            slot.ran = true;
            guest.ended(
                    slot,
                    new Terminated(
                            failure.get().exitCode(),
                            0,
                            "ContainerStartFailed",
                            text,
                            began,
                            Instant.now()));
            book.publishLeniently();
            throw new PodException(
                    Kind.INVALID, "cannot start container " + slot.name() + ": " + text, "");
        }
        slot.ran = true;
        slot.state = new Running(Instant.now());
        book.happened(SandboxEvent.Type.STARTED, Optional.of(slot.attempt()));
        book.publishLeniently();
    }

    /** In the journal before the guest has it, and taken back where the guest refuses it. */
    void update(SandboxSlot slot, ContainerConfig.Resources change)
            throws PodException, InterruptedException {
        var before = slot.config;
        var whole = LimitChange.merge(before.resources(), change);
        var after = before.with(whole);
        Refusals.check(after);
        var now = slot.ended() ? Optional.<Sandbox>empty() : Optional.of(ready());
        if (now.isPresent()) {
            SandboxDemands.check(now.get(), change);
        }
        var fit =
                now.isPresent() && LimitChange.ofSize(change)
                        ? Optional.of(MachineFit.of(now.get(), settings))
                        : Optional.<MachineFit>empty();
        if (fit.isPresent()) {
            LimitChange.check(
                    "container " + slot.name(), before.resources(), whole, fit.get().most());
        }
        slot.config = after;
        boolean done = false;
        try {
            book.publish();
            if (fit.isPresent()) {
                fit.get().grow(need(fit.get()));
            }
            if (now.isPresent()) {
                demands.meet(now.get(), change);
                now.get()
                        .agent()
                        .resources()
                        .update(
                                slot.attempt(),
                                new GuestResources.Change(
                                        LimitChange.settings(change, whole),
                                        Optional.of(change.oomScoreAdj()).filter(it -> it != 0)),
                                Deadline.after(CALL));
            }
            done = true;
        } finally {
            if (!done) {
                slot.config = before;
                book.publishLeniently();
                if (now.isPresent()) {
                    demands.relax(now.get(), change);
                }
            }
        }
        if (fit.isPresent()) {
            fit.get().shrink(need(fit.get()));
        }
    }

    private MachineFit.Need need(MachineFit fit) {
        var running =
                slots.stream()
                        .filter(slot -> !slot.ended())
                        .map(slot -> slot.config.resources())
                        .toList();
        return fit.need(running, book.overheadBytes(), demands.hugepages());
    }

    /** What is not a limit in the guest is in the journal before it is in force. */
    void updatePod(ContainerConfig.Resources change, Optional<Long> overheadBytes)
            throws PodException, InterruptedException {
        var now = ready();
        SandboxDemands.check(now, change);
        var none = ContainerConfig.Resources.NONE;
        var fit = MachineFit.of(now, settings);
        LimitChange.check("pod sandbox " + spec.metadata(), none, change, fit.most());
        var before = book.bounds();
        book.bound(
                new SandboxBounds(
                        overheadBytes.or(before::overheadBytes),
                        or(change.cpusetCpus(), before.cpusetCpus()),
                        or(change.cpusetMems(), before.cpusetMems())));
        boolean done = false;
        try {
            book.publish();
            var need = fit.need(List.of(change), book.overheadBytes(), demands.hugepages());
            fit.grow(need);
            if (!before.equals(book.bounds())) {
                demands.place(now);
            }
            now.agent()
                    .resources()
                    .updatePod(LimitChange.settings(change, change), Deadline.after(CALL));
            fit.shrink(need);
            done = true;
        } finally {
            if (!done) {
                book.bound(before);
                book.publishLeniently();
            }
        }
    }

    private static String or(String change, String before) {
        return change.isEmpty() ? before : change;
    }

    /** From now on it has until the deadline; of several the earliest counts. */
    void stopBy(SandboxSlot slot, Deadline deadline) {
        var before = slot.stopBy;
        if (before == null || deadline.left().compareTo(before.left()) < 0) {
            slot.stopBy = deadline;
        }
    }

    /** One that has ended, or was never started, and may have been removed meanwhile. */
    void remove(SandboxSlot slot) throws PodException, InterruptedException {
        if (!slots.contains(slot)) {
            return;
        }
        slot.real = false;
        try {
            book.publish();
            var now = link.sandbox();
            if (now.isPresent() && !book.failed()) {
                now.get().agent().remove(slot.attempt(), Deadline.after(CALL));
                shares.release(slot.attempt(), now.get().agent());
            }
        } catch (PodException e) {
            slot.real = true;
            book.publishLeniently();
            throw e;
        }
        slots.remove(slot);
        if (link.sandbox().isPresent() && !book.failed()) {
            demands.relax(link.sandbox().get(), slot.config.resources());
        }
        book.happened(SandboxEvent.Type.DELETED, Optional.of(slot.attempt()));
        book.publishLeniently();
    }

    /**
     * Brings what is known in line with what the guest has.
     *
     * @param present empty: it has not told of all that it has
     */
    void settle(Agent agent, Optional<Set<ContainerId>> present)
            throws PodException, InterruptedException {
        for (var slot : List.copyOf(slots)) {
            if (!slot.real) {
                agent.remove(slot.attempt(), Deadline.after(CALL));
                slots.remove(slot);
                shares.release(slot.attempt(), agent);
            } else if (!slot.ended() && present.filter(all -> lost(slot, all)).isPresent()) {
                guest.ended(
                        slot,
                        new Terminated(
                                255,
                                0,
                                SandboxSlot.UNKNOWN,
                                "its guest does not have it any more",
                                slot.status().started().orElse(Instant.now()),
                                Instant.now()));
            } else if (!slot.ended() && !slot.drained) {
                pump(slot, agent);
            }
        }
    }

    private static boolean lost(SandboxSlot slot, Set<ContainerId> present) {
        return !present.contains(slot.attempt());
    }

    private void pump(SandboxSlot slot, Agent agent) {
        guest.pump(slot, slot.attempt(), agent, () -> log(slot));
    }

    private static LogSink log(SandboxSlot slot) throws PodException {
        var file = slot.config.logFile();
        if (file.isEmpty()) {
            return new NoLog();
        }
        var writer = LogWriter.atPath(file.get());
        slot.writer = writer;
        return writer;
    }
}
