package podvm.engine.fake;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import podvm.engine.Agent.ContainerReport;
import podvm.engine.Agent.SandboxSetup;
import podvm.engine.Agent.VolumeFile;
import podvm.engine.ContainerId;
import podvm.engine.Disk;
import podvm.engine.MachineEnd;
import podvm.engine.MachineSpec;

/**
 * The inside of a fake machine: it lives on when the daemon that booted it is gone. Its monitor
 * guards all that is in it.
 */
public final class FakeGuest {
    private final MachineSpec spec;
    private final FakePrograms programs;
    private final Path console;
    private final List<FakeAgent> connections = new ArrayList<>();
    private final List<ContainerReport> changes = new ArrayList<>();
    private final List<Disk> attached = new ArrayList<>();
    private Instant clock = Instant.EPOCH;
    private boolean answering;
    private boolean deafToKill;
    private boolean outputStaysOpen;
    private boolean tellsPresent = true;
    private @Nullable MachineEnd end;
    final Map<ContainerId, FakeContainer> containers = new LinkedHashMap<>();
    final Map<String, List<VolumeFile>> volumes = new HashMap<>();
    final java.util.Set<String> shares = new java.util.HashSet<>();
    final List<String> served = new ArrayList<>();
    @Nullable SandboxSetup setup;

    /** What its containers use and may use. */
    public final FakeMeters meters = new FakeMeters();

    /** What it can be given and was given. */
    public final FakeGrowth growth;

    public final FakePlacement placement = new FakePlacement();
    private Map<String, Long> hugepages = Map.of();

    FakeGuest(MachineSpec spec, FakePrograms programs, Path console) {
        this.spec = spec;
        this.growth = new FakeGrowth(spec.size());
        this.programs = programs;
        this.console = console;
        print("");
    }

    public MachineSpec spec() {
        return spec;
    }

    synchronized void attach(Disk disk) {
        attached.add(disk);
    }

    synchronized boolean has(String serial) {
        return Stream.concat(spec.disks().stream(), attached.stream())
                .anyMatch(disk -> disk.serial().equals(serial));
    }

    FakePrograms programs() {
        return programs;
    }

    Path console() {
        return console;
    }

    /** From now on the agent answers. */
    public synchronized void answer() {
        answering = true;
        notifyAll();
    }

    /** New connections wait until it answers again. */
    public synchronized void fallSilent() {
        answering = false;
    }

    /** From now on the containers of this guest survive SIGKILL. */
    public synchronized void getStuck() {
        deafToKill = true;
    }

    /** Whether its agent says when all containers are reported. */
    public synchronized void tellPresent(boolean tells) {
        tellsPresent = tells;
        notifyAll();
    }

    synchronized boolean tellsPresent() {
        return tellsPresent;
    }

    /** The ends of containers no longer end their output. */
    public synchronized void keepOutputOpen() {
        outputStaysOpen = true;
    }

    synchronized boolean outputStaysOpen() {
        return outputStaysOpen;
    }

    synchronized boolean deafToKill() {
        return deafToKill;
    }

    public synchronized void print(String text) {
        try {
            Files.writeString(
                    console,
                    text,
                    java.nio.file.StandardOpenOption.CREATE,
                    java.nio.file.StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends the machine, and with it all that runs in it. */
    public synchronized void end(MachineEnd reason) {
        if (end == null) {
            end = reason;
            containers.values().forEach(FakeContainer::kill);
            disconnectAll();
        }
    }

    public synchronized boolean alive() {
        return end == null;
    }

    synchronized MachineEnd awaitEnd() throws InterruptedException {
        while (end == null) {
            wait();
        }
        return end;
    }

    /** Cuts all connections; the guest goes on. */
    public synchronized void disconnectAll() {
        connections.clear();
        notifyAll();
    }

    public synchronized int connections() {
        return connections.size();
    }

    synchronized boolean connected(FakeAgent agent) {
        return connections.contains(agent);
    }

    synchronized void connect(FakeAgent agent) {
        connections.add(agent);
    }

    synchronized void disconnect(FakeAgent agent) {
        connections.remove(agent);
        notifyAll();
    }

    synchronized boolean answering() {
        return answering && end == null;
    }

    public synchronized boolean configured() {
        return setup != null;
    }

    /** Shares that are mounted. */
    public synchronized java.util.Set<String> shares() {
        return java.util.Set.copyOf(shares);
    }

    /** Shares whose requests somebody takes. */
    public synchronized List<String> served() {
        return List.copyOf(served);
    }

    public synchronized Optional<SandboxSetup> setup() {
        return Optional.ofNullable(setup);
    }

    /** Reports of every container made here and not removed. */
    public synchronized List<ContainerReport> reports() {
        return containers.values().stream().map(FakeContainer::report).toList();
    }

    /** What each container was made from, in the order they were made in. */
    public synchronized List<podvm.engine.Agent.ContainerPlan> plans() {
        return containers.values().stream().map(container -> container.plan).toList();
    }

    synchronized void changed(ContainerReport report) {
        changes.add(report);
        notifyAll();
    }

    synchronized int changeCount() {
        return changes.size();
    }

    synchronized ContainerReport change(int index) {
        return changes.get(index);
    }

    /** Strictly increasing. */
    synchronized Instant now() {
        var real = Instant.now();
        clock = real.isAfter(clock) ? real : clock.plusNanos(1);
        return clock;
    }

    /** What it was last told to keep, by the size's name. */
    public synchronized Map<String, Long> hugepages() {
        return hugepages;
    }

    synchronized void hugepages(Map<String, Long> bytes) {
        hugepages = Map.copyOf(bytes);
    }
}
