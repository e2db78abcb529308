package podvm.engine.fake;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import podvm.engine.Agent;
import podvm.engine.ContainerFiles;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.GuestPorts;
import podvm.engine.GuestResources;
import podvm.engine.GuestShares;
import podvm.engine.GuestSockets;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** A connection to a fake guest. */
public final class FakeAgent implements Agent {
    public static final long RSS_OF_A_RUNNING_POD = 2 << 20;

    private final FakeGuest guest;

    FakeAgent(FakeGuest guest) {
        this.guest = guest;
        guest.connect(this);
    }

    private void check() throws PodException {
        if (!guest.connected(this)) {
            throw new PodException(Kind.MACHINE, "the connection to the agent is lost", "");
        }
    }

    private FakeContainer container(ContainerId id) throws PodException {
        var container = guest.containers.get(id);
        if (container == null) {
            throw new PodException(Kind.NOT_FOUND, "no container " + id.brief(), "");
        }
        return container;
    }

    @Override
    public Info info() {
        return new Info("fake", "6.1.0", guest.configured(), 1 << 20);
    }

    @Override
    public Info infoNow(Deadline deadline) throws PodException {
        synchronized (guest) {
            check();
            return new Info("fake", "6.1.0", guest.configured(), RSS_OF_A_RUNNING_POD);
        }
    }

    @Override
    public void prepare(Deadline deadline) {}

    @Override
    public void configure(SandboxSetup setup, Deadline deadline) throws PodException {
        synchronized (guest) {
            check();
            if (guest.configured()) {
                throw new PodException(Kind.CONFLICT, "the guest is configured already", "");
            }
            guest.setup = setup;
        }
    }

    @Override
    public void putVolume(String name, java.util.List<VolumeFile> files, Deadline deadline)
            throws PodException {
        synchronized (guest) {
            check();
            guest.volumes.put(name, files);
        }
    }

    @Override
    public GuestShares shares() {
        return new FakeGuestShares(guest, this);
    }

    @Override
    public GuestSockets sockets() {
        return new FakeGuestSockets(guest, this);
    }

    @Override
    public ContainerFiles files(ContainerId container) {
        return new FakeFiles();
    }

    @Override
    public GuestPorts ports() {
        return port -> {
            synchronized (guest) {
                check();
                return EchoConnection.open(port);
            }
        };
    }

    @Override
    public GuestResources resources() {
        return new FakeGuestResources(guest, this::check);
    }

    @Override
    public Optional<ResolvedUser> create(ContainerPlan plan, Deadline deadline)
            throws PodException {
        synchronized (guest) {
            check();
            if (!guest.configured()) {
                throw new PodException(Kind.CONFLICT, "the guest is not configured", "");
            }
            if (guest.containers.containsKey(plan.id())) {
                throw new PodException(Kind.ALREADY_EXISTS, "container " + plan.id(), "");
            }
            for (var serial : plan.layerSerials()) {
                if (!guest.has(serial)) {
                    throw new PodException(Kind.NOT_FOUND, "no disk " + serial, "");
                }
            }
            for (var mount : plan.mounts()) {
                if (mount.source() instanceof MountSource.Files files
                        && !guest.volumes.containsKey(files.volume())) {
                    throw new PodException(Kind.NOT_FOUND, "no volume " + files.volume(), "");
                }
                if (mount.source() instanceof MountSource.DeviceFile device
                        && !guest.has(device.serial())) {
                    throw new PodException(Kind.NOT_FOUND, "no disk " + device.serial(), "");
                }
                if (mount.source() instanceof MountSource.ImageLayers layers) {
                    for (var serial : layers.serials()) {
                        if (!guest.has(serial)) {
                            throw new PodException(Kind.NOT_FOUND, "no disk " + serial, "");
                        }
                    }
                }
                if (mount.source() instanceof MountSource.Share share
                        && !guest.shares.contains(share.name())) {
                    throw new PodException(Kind.NOT_FOUND, "no share " + share.name(), "");
                }
            }
            guest.containers.put(plan.id(), new FakeContainer(guest, plan));
            return user(plan.process());
        }
    }

    /** As in an image that knows numbers alone. */
    private static Optional<ResolvedUser> user(ProcessPlan process) {
        if (!process.user().matches("\\d*")) {
            return Optional.empty();
        }
        int uid = process.user().isEmpty() ? 0 : Integer.parseInt(process.user());
        int gid = process.gid().orElse(0);
        var gids = new TreeSet<>(process.supplementalGids());
        gids.add(gid);
        return Optional.of(new ResolvedUser(uid, gid, List.copyOf(gids)));
    }

    @Override
    public Optional<StartFailure> start(ContainerId id, Deadline deadline) throws PodException {
        synchronized (guest) {
            check();
            var container = container(id);
            if (container.phase != ContainerReport.Phase.CREATED) {
                throw new PodException(Kind.CONFLICT, "container " + id + " was started", "");
            }
            return container.start().map(text -> new StartFailure(127, text));
        }
    }

    @Override
    public void signal(ContainerId id, int signal, Deadline deadline)
            throws PodException, InterruptedException {
        synchronized (guest) {
            check();
            var container = container(id);
            if (container.phase == ContainerReport.Phase.EXITED) {
                throw new PodException(Kind.NOT_FOUND, "container " + id + " has ended", "");
            }
            if (!guest.deafToKill()) {
                container.signal(signal);
            }
        }
    }

    @Override
    public void remove(ContainerId id, Deadline deadline) throws PodException {
        synchronized (guest) {
            check();
            var container = guest.containers.remove(id);
            if (container != null) {
                container.kill();
                guest.notifyAll();
            }
        }
    }

    @Override
    public void readOutput(ContainerId id, OutputSink sink)
            throws PodException, InterruptedException {
        FakeContainer container;
        synchronized (guest) {
            check();
            container = container(id);
        }
        Ack ack =
                (stream, offset) -> {
                    synchronized (guest) {
                        if (guest.connected(this)) {
                            container.acknowledge(stream, offset);
                        }
                    }
                };
        var sent = new EnumMap<OutputStreamKind, Long>(OutputStreamKind.class);
        for (var next = next(container, sent); next.isPresent(); next = next(container, sent)) {
            var chunk = next.get();
            sent.put(chunk.stream(), chunk.end());
            sink.chunk(chunk.stream(), chunk.offset(), chunk.data(), chunk.time(), ack);
        }
        for (var stream : OutputStreamKind.values()) {
            sink.end(stream, ack);
        }
        synchronized (guest) {
            while (!container.unacknowledged.isEmpty()) {
                check();
                guest.wait();
            }
        }
    }

    /** Empty at the end of both streams. */
    private Optional<FakeContainer.Chunk> next(
            FakeContainer container, Map<OutputStreamKind, Long> sent)
            throws PodException, InterruptedException {
        synchronized (guest) {
            while (true) {
                check();
                for (var chunk : container.unacknowledged) {
                    long position = sent.getOrDefault(chunk.stream(), 0L);
                    if (chunk.offset() >= position) {
                        return Optional.of(chunk);
                    }
                }
                boolean over =
                        container.phase == ContainerReport.Phase.EXITED && !container.outputOpen;
                if (over || !guest.containers.containsValue(container)) {
                    return Optional.empty();
                }
                guest.wait();
            }
        }
    }

    @Override
    public InputWriter openInput(ContainerId id) throws PodException {
        synchronized (guest) {
            check();
            var container = container(id);
            if (!container.plan.stdin()) {
                throw new PodException(Kind.CONFLICT, "container " + id + " has no stdin", "");
            }
            return new InputWriter() {
                @Override
                public void write(byte[] bytes, int offset, int length) throws PodException {
                    check();
                    container.process.input(
                            java.util.Arrays.copyOfRange(bytes, offset, offset + length));
                }

                @Override
                public void close() throws PodException {
                    check();
                    if (container.plan.stdinOnce()) {
                        container.process.input(new byte[0]);
                    }
                }
            };
        }
    }

    @Override
    public void resize(ContainerId id, int columns, int rows) throws PodException {
        synchronized (guest) {
            check();
            var _ = container(id);
        }
    }

    @Override
    public ExecSession exec(ContainerId id, ProcessPlan process, boolean stdin, ExecOutput output)
            throws PodException {
        synchronized (guest) {
            check();
            var _ = container(id);
            return new FakeExec(guest.programs(), process, output);
        }
    }

    @Override
    public void watch(Watcher watcher) throws InterruptedException {
        java.util.List<ContainerReport> present;
        int next;
        synchronized (guest) {
            present = guest.reports();
            next = guest.changeCount();
        }
        present.forEach(watcher::changed);
        boolean told = false;
        while (true) {
            Optional<ContainerReport> report;
            synchronized (guest) {
                while (guest.connected(this)
                        && next == guest.changeCount()
                        && (told || !guest.tellsPresent())) {
                    guest.wait();
                }
                if (!guest.connected(this)) {
                    return;
                }
                report =
                        next == guest.changeCount()
                                ? Optional.empty()
                                : Optional.of(guest.change(next++));
            }
            if (report.isPresent()) {
                watcher.changed(report.get());
            } else {
                told = true;
                watcher.presentTold();
            }
        }
    }

    @Override
    public void shutdown(Deadline deadline) throws PodException {
        check();
        guest.end(
                new podvm.engine.MachineEnd(
                        podvm.engine.MachineEnd.Reason.POWER_OFF, "powered off", ""));
    }

    @Override
    public void close() {
        guest.disconnect(this);
    }
}
