package podvm.machine.qemu;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import podvm.engine.Deadline;
import podvm.engine.Disk;
import podvm.engine.GuestAddress;
import podvm.engine.Machine;
import podvm.engine.MachineCost;
import podvm.engine.MachineEnd;
import podvm.engine.MachineGrowth;
import podvm.engine.MachinePlacement;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.linux.Descriptor;
import podvm.linux.HostProcess;
import podvm.linux.Signal;
import podvm.machine.Console;
import podvm.machine.LogTail;
import podvm.machine.PodDirectory;
import podvm.machine.ProcessCost;
import podvm.machine.VmmPlacement;
import tools.jackson.databind.JsonNode;

/** A running QEMU, booted or found again. */
final class QemuMachine implements Machine {
    private static final Duration KILL = Duration.ofSeconds(10);
    private static final Duration LOOK = Duration.ofSeconds(1);

    private final PodDirectory directory;
    private final HostProcess process;
    private final Console console;
    private final Qmp qmp;
    private final Thread watcher;
    private final Consumer<QemuMachine> whenClosed;
    private final Origin origin;
    private final CompletableFuture<MachineEnd> end = new CompletableFuture<>();
    private final Map<String, CompletableFuture<Void>> unplugged = new ConcurrentHashMap<>();
    private final ReentrantLock disks = new ReentrantLock();
    private volatile @Nullable String shutdownCause;
    private volatile boolean closing;
    private boolean closed;

    private QemuMachine(
            PodDirectory directory,
            HostProcess process,
            Console console,
            Origin origin,
            Consumer<QemuMachine> whenClosed,
            Deadline deadline)
            throws PodException, InterruptedException {
        this.directory = directory;
        this.origin = origin;
        this.whenClosed = whenClosed;
        this.process = process;
        this.console = console;
        this.qmp = Qmp.connect(directory.qmpSocket(), this::event, deadline);
        this.watcher = Thread.ofVirtual().name("watch " + directory.pod()).unstarted(this::watch);
    }

    /** Connects to a QEMU that runs, or just starts; takes over process and console. */
    static QemuMachine of(
            PodDirectory directory,
            HostProcess process,
            Console console,
            Origin origin,
            Consumer<QemuMachine> whenClosed,
            Deadline deadline)
            throws PodException, InterruptedException {
        var machine = new QemuMachine(directory, process, console, origin, whenClosed, deadline);
        machine.watcher.start();
        return machine;
    }

    @Override
    public PodId pod() {
        return directory.pod();
    }

    @Override
    public GuestAddress guest() {
        return new GuestAddress.Serial(directory.agentSocket());
    }

    @Override
    public Origin origin() {
        return origin;
    }

    @Override
    public Path consoleLog() {
        return directory.consoleLog();
    }

    @Override
    public long pid() {
        return process.pid();
    }

    @Override
    public MachineGrowth growth() {
        return new QemuGrowth(directory, qmp);
    }

    @Override
    public MachinePlacement placement() {
        return VmmPlacement.of(pid());
    }

    @Override
    public Optional<MachineCost> cost() {
        // the pid is ours for as long as nobody has reaped it, which the watcher does
        return alive() ? ProcessCost.of(pid(), directory::chargedMemory) : Optional.empty();
    }

    @Override
    public boolean alive() {
        return !end.isDone();
    }

    /** Stops the machine and writes all but its memory into the file. */
    void save(Descriptor file, Deadline deadline) throws PodException, InterruptedException {
        qmp.execute("stop", Map.of(), deadline);
        memoryStays(deadline);
        new DescriptorPassing(directory.descriptorSocket()).migrate(file, deadline);
        awaitMigration("save", deadline);
    }

    /** Makes a machine that waits for its state into a running one. */
    void restore(Deadline deadline) throws PodException, InterruptedException {
        memoryStays(deadline);
        // QEMU would tell the neighbors of the address that all templates and copies have
        qmp.execute("migrate-set-parameters", Map.of("announce-rounds", 0), deadline);
        qmp.execute("migrate-incoming", Map.of("uri", "fd:" + VmmDescriptors.STATE), deadline);
        awaitMigration("restore", deadline);
        qmp.execute("cont", Map.of(), deadline);
    }

    /** Both sides of a migration have it in the same file. */
    private void memoryStays(Deadline deadline) throws PodException, InterruptedException {
        var capability = Map.of("capability", "x-ignore-shared", "state", true);
        qmp.execute(
                "migrate-set-capabilities", Map.of("capabilities", List.of(capability)), deadline);
    }

    private void awaitMigration(String what, Deadline deadline)
            throws PodException, InterruptedException {
        while (true) {
            var migration = qmp.execute("query-migrate", Map.of(), deadline);
            switch (migration.path("status").asString("")) {
                case "completed" -> {
                    return;
                }
                case "failed", "cancelled" ->
                        throw new PodException(
                                Kind.MACHINE,
                                "QEMU cannot %s the machine: %s"
                                        .formatted(
                                                what,
                                                migration
                                                        .path("error-desc")
                                                        .asString("no reason given")),
                                "");
                default -> Thread.sleep(1);
            }
            if (deadline.passed()) {
                throw new PodException(
                        Kind.DEADLINE, "QEMU does not " + what + " the machine in time", "");
            }
        }
    }

    @Override
    public void attach(Disk disk, Deadline deadline) throws PodException, InterruptedException {
        var arguments = DiskArguments.of(disk);
        disks.lockInterruptibly();
        try (var file = arguments.open()) {
            var set =
                    new DescriptorPassing(directory.descriptorSocket())
                            .pass(file, arguments.node(), deadline);
            try {
                qmp.execute("blockdev-add", arguments.blockdev(set), deadline);
            } catch (PodException e) {
                qmp.execute("remove-fd", Map.of("fdset-id", set), deadline);
                if (attached(arguments, deadline)) {
                    return;
                }
                throw e;
            }
            try {
                qmp.execute("device_add", arguments.scsi(), deadline);
            } catch (PodException e) {
                forget(arguments, deadline);
                throw e;
            }
        } catch (PodException e) {
            throw about("attach", disk, e);
        } finally {
            disks.unlock();
        }
    }

    @Override
    public void detach(Disk disk, Deadline deadline) throws PodException, InterruptedException {
        var arguments = DiskArguments.of(disk);
        disks.lockInterruptibly();
        var gone = new CompletableFuture<Void>();
        unplugged.put(arguments.device(), gone);
        try {
            if (!attached(arguments, deadline)) {
                return;
            }
            qmp.execute("device_del", Map.of("id", arguments.device()), deadline);
            gone.get(deadline.leftMillis(), TimeUnit.MILLISECONDS);
            forget(arguments, deadline);
        } catch (TimeoutException | ExecutionException e) {
            throw new PodException(
                    Kind.DEADLINE,
                    "the guest of pod " + pod() + " does not give back disk " + disk.serial(),
                    "unmount it in the guest",
                    e);
        } catch (PodException e) {
            throw about("detach", disk, e);
        } finally {
            unplugged.remove(arguments.device());
            disks.unlock();
        }
    }

    private boolean attached(DiskArguments disk, Deadline deadline)
            throws PodException, InterruptedException {
        return devices(deadline).contains(disk.device());
    }

    /** Names of the devices that have one. */
    List<String> devices(Deadline deadline) throws PodException, InterruptedException {
        var names = new ArrayList<String>();
        var arguments = Map.of("path", "/machine/peripheral");
        for (var device : qmp.execute("qom-list", arguments, deadline)) {
            names.add(device.path("name").asString(""));
        }
        return names;
    }

    /** Removes the block node and closes QEMU's descriptors of it. */
    private void forget(DiskArguments disk, Deadline deadline)
            throws PodException, InterruptedException {
        qmp.execute("blockdev-del", Map.of("node-name", disk.node()), deadline);
        for (var set : qmp.execute("query-fdsets", Map.of(), deadline)) {
            if (set.path("fds").path(0).path("opaque").asString("").equals(disk.node())) {
                var id = set.path("fdset-id").asLong(-1);
                qmp.execute("remove-fd", Map.of("fdset-id", id), deadline);
            }
        }
    }

    private PodException about(String what, Disk disk, PodException cause) {
        return new PodException(
                cause.kind(),
                "cannot "
                        + what
                        + " disk "
                        + disk.file()
                        + " for pod "
                        + pod()
                        + ": "
                        + cause.getMessage(),
                cause.remedy(),
                cause);
    }

    private void event(String name, JsonNode data) {
        switch (name) {
            case "SHUTDOWN" -> shutdownCause = data.path("reason").asString("");
            case "DEVICE_DELETED" -> {
                var gone = unplugged.get(data.path("device").asString(""));
                if (gone != null) {
                    gone.complete(null);
                }
            }
            default -> {}
        }
    }

    @Override
    public MachineEnd awaitEnd() throws InterruptedException {
        try {
            return end.get();
        } catch (ExecutionException e) {
            throw new AssertionError("an end is never a failure", e);
        }
    }

    /** The control connection ends with QEMU and wakes us; the slow look is for one that lies. */
    private void watch() {
        try {
            var ended = process.poll();
            for (; ended.isEmpty(); ended = process.poll()) {
                if (qmp.awaitEnd(LOOK)) {
                    Thread.sleep(2);
                }
            }
            qmp.awaitEnd(LOOK);
            console.awaitEnd(LOOK);
            var shutdown =
                    new Shutdown(
                            ended.get(),
                            closing,
                            Optional.ofNullable(shutdownCause),
                            LogTail.of(directory.vmmLog(), 1),
                            console.panic(),
                            console.tail());
            end.complete(shutdown.end());
        } catch (PodException e) {
            end.complete(
                    new MachineEnd(MachineEnd.Reason.VMM_FAILED, e.describe(), console.tail()));
        } catch (InterruptedException _) {
            // forsaken: the machine goes on without us
        }
    }

    /** Ends the connection and leaves the machine running, to be found by another daemon. */
    void forsake() {
        watcher.interrupt();
        try {
            watcher.join();
        } catch (InterruptedException _) {
            // our thread ends too; the watcher, interrupted as well, ends by itself
            Thread.currentThread().interrupt();
        }
        qmp.close();
        console.close();
        process.close();
    }

    @Override
    public synchronized void close() throws PodException {
        if (closed) {
            return;
        }
        closing = true;
        process.signal(Signal.KILL);
        if (!watcherEnds()) {
            throw new PodException(
                    Kind.MACHINE,
                    "QEMU of pod " + pod() + ", process " + pid() + ", does not die",
                    "it may wait for a disk: see /proc/" + pid() + "/stack");
        }
        closed = true;
        qmp.close();
        console.close();
        process.close();
        directory.remove();
        whenClosed.accept(this);
    }

    /** Goes on when interrupted: who cancels a boot wants nothing left of it all the more. */
    private boolean watcherEnds() {
        var interrupted = false;
        try {
            while (true) {
                try {
                    return watcher.join(KILL);
                } catch (InterruptedException _) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
