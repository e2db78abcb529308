package podvm.machine.qemu;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import podvm.engine.Deadline;
import podvm.engine.Machine;
import podvm.engine.MachineSize;
import podvm.engine.MachineSpec;
import podvm.engine.Machines;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.Rollback;
import podvm.engine.Templates;
import podvm.linux.Command;
import podvm.linux.Descriptor;
import podvm.linux.HostProcess;
import podvm.machine.Console;
import podvm.machine.HostCapacity;
import podvm.machine.LogTail;
import podvm.machine.NodeCgroups;
import podvm.machine.PodDirectory;
import podvm.machine.VmmProcesses;

/**
 * Machines run by QEMU's microvm. Closing it lets go of the machines and leaves them running, as
 * the daemon's death does.
 */
public final class QemuMachines implements Machines, AutoCloseable {
    private static final Duration ANSWER = Duration.ofSeconds(20);
    private static final Duration KILL = Duration.ofSeconds(10);
    private static final Duration LAST_WORDS = Duration.ofSeconds(1);
    private static final int MOST_DISKS = 250;
    private static final int LOG_LINES = 5;
    private static final List<String> ENVIRONMENT = List.of("PATH=/usr/bin:/bin", "LANG=C");

    private final QemuOptions options;
    private final NodeCgroups cgroups;
    private final Path run;
    private final VmmProcesses processes;
    private final QemuTemplates templates;
    private final Map<PodId, QemuMachine> machines = new ConcurrentHashMap<>();

    public QemuMachines(QemuOptions options, NodeCgroups cgroups) throws PodException {
        this.cgroups = cgroups;
        this.options = options;
        this.run = PodDirectory.prepare(options.runDirectory());
        this.processes = new VmmProcesses(run, "qemu-");
        this.templates = new QemuTemplates(options, this::bootDraft);
    }

    @Override
    public void check(MachineSize size, int disks) throws PodException {
        HostCapacity.now().check(size);
        if (disks > MOST_DISKS) {
            throw new PodException(
                    Kind.INVALID,
                    "a machine with " + disks + " disks; QEMU has at most " + MOST_DISKS,
                    "use images with fewer layers");
        }
    }

    @Override
    public Optional<Templates> templates() {
        return options.templates().most() > 0 ? Optional.of(templates) : Optional.empty();
    }

    @Override
    public Machine boot(MachineSpec spec, Deadline deadline)
            throws PodException, InterruptedException {
        check(spec.size(), spec.disks().size());
        checkFiles();
        if (spec.group().isPresent()) {
            NodeCgroups.check(spec.group().get());
        }
        if (options.templates().most() == 0) {
            return boot(spec, new Memory.Own(), new Machine.Origin.Booted(""), deadline);
        }
        var template = templates.find(spec);
        var why = template.isEmpty() ? templates.absence(spec) : "";
        if (template.isPresent()) {
            try {
                var memory = new Memory.Copied(template.get());
                return boot(spec, memory, new Machine.Origin.Cloned(), deadline);
            } catch (PodException e) {
                // whatever is wrong with it, the machine itself may still boot
                why = "no copy of its template runs: " + e.getMessage();
                templates.reject(spec, why);
            }
        }
        return boot(spec, new Memory.Own(), new Machine.Origin.Booted(why), deadline);
    }

    private QemuMachine bootDraft(MachineSpec spec, Memory memory, Deadline deadline)
            throws PodException, InterruptedException {
        check(spec.size(), spec.disks().size());
        checkFiles();
        return boot(spec, memory, new Machine.Origin.Booted(""), deadline);
    }

    private QemuMachine boot(
            MachineSpec spec, Memory memory, Machine.Origin origin, Deadline deadline)
            throws PodException, InterruptedException {
        var directory = PodDirectory.of(run, spec.pod());
        directory.create();
        try {
            return start(spec, memory, origin, directory, deadline);
        } catch (PodException e) {
            var told = explained(e, directory);
            directory.remove();
            if (Thread.interrupted()) {
                // the JDK's channels tell an interruption as a failure
                throw new InterruptedException(told.getMessage());
            }
            throw told;
        } catch (InterruptedException e) {
            directory.remove();
            throw e;
        }
    }

    private void checkFiles() throws PodException {
        for (var prerequisite : QemuPrerequisites.files(options)) {
            if (!Files.isReadable(prerequisite.file())) {
                throw new PodException(
                        Kind.NOT_FOUND,
                        "cannot boot a machine: "
                                + prerequisite.name()
                                + " "
                                + prerequisite.file()
                                + " is missing",
                        prerequisite.remedy());
            }
        }
    }

    private QemuMachine start(
            MachineSpec spec,
            Memory memory,
            Machine.Origin origin,
            PodDirectory directory,
            Deadline deadline)
            throws PodException, InterruptedException {
        HostProcess process;
        Console console;
        try (var descriptors = new VmmDescriptors(directory, options, memory, spec);
                var log = Descriptor.append(directory.vmmLog())) {
            // before QEMU runs, so that no byte is lost
            console = Console.follow(directory);
            try {
                process = command(spec, memory, directory, descriptors, log).start();
            } catch (PodException e) {
                console.close();
                throw e;
            }
        }
        var answer = deadline.atMost(ANSWER);
        var machine = supervise(spec, directory, process, console, origin, answer);
        if (memory instanceof Memory.Copied) {
            restore(machine, deadline.atMost(ANSWER));
        }
        return machine;
    }

    private static void restore(QemuMachine machine, Deadline deadline)
            throws PodException, InterruptedException {
        try (var undo = new Rollback()) {
            undo.add(machine).restore(deadline);
            var _ = undo.keep();
        }
    }

    private Command command(
            MachineSpec spec,
            Memory memory,
            PodDirectory directory,
            VmmDescriptors descriptors,
            Descriptor log)
            throws PodException {
        var headroom = Headroom.here(options, spec.size());
        var line = MicrovmArguments.of(options, spec, headroom, memory, descriptors);
        return new Command(
                options.user().isPresent() ? options.user().get().run(line) : line,
                ENVIRONMENT,
                directory.path(),
                log,
                descriptors.inOrder());
    }

    /** On failure the process is dead. */
    private QemuMachine supervise(
            MachineSpec spec,
            PodDirectory directory,
            HostProcess process,
            Console console,
            Machine.Origin origin,
            Deadline deadline)
            throws PodException, InterruptedException {
        try {
            if (spec.group().isPresent()) {
                cgroups.enter(directory, spec.group().get(), spec.size(), process.pid());
            }
            return keep(directory, process, console, origin, deadline);
        } catch (PodException | InterruptedException e) {
            process.kill(KILL);
            process.close();
            awaitRest(console);
            console.close();
            throw e;
        }
    }

    /** What the dead VMM wrote last is told with its failure. */
    private static void awaitRest(Console console) {
        try {
            console.awaitEnd(LAST_WORDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private QemuMachine keep(
            PodDirectory directory,
            HostProcess process,
            Console console,
            Machine.Origin origin,
            Deadline deadline)
            throws PodException, InterruptedException {
        var machine = QemuMachine.of(directory, process, console, origin, this::forget, deadline);
        machines.put(directory.pod(), machine);
        return machine;
    }

    private void forget(QemuMachine machine) {
        machines.remove(machine.pod(), machine);
    }

    private static PodException explained(PodException failure, PodDirectory directory) {
        var log = LogTail.of(directory.vmmLog(), LOG_LINES);
        var console = LogTail.of(directory.consoleLog(), LOG_LINES);
        var message = new StringBuilder("cannot boot pod ").append(directory.pod());
        message.append(" with QEMU: ").append(failure.getMessage());
        if (!log.isEmpty()) {
            message.append("; QEMU says: ").append(log);
        }
        if (!console.isEmpty()) {
            message.append("; the guest's console ends: ").append(console);
        }
        var noMemory = log.contains("Cannot allocate memory");
        return new PodException(
                noMemory ? Kind.EXHAUSTED : failure.kind(),
                message.toString(),
                noMemory ? "end other pods or ask for less memory" : remedy(failure),
                failure);
    }

    /** The log itself goes with the machine. */
    private static String remedy(PodException failure) {
        return switch (failure.kind()) {
            case DEADLINE, MACHINE -> "podvm doctor tells whether QEMU runs here and machines boot";
            default -> failure.remedy();
        };
    }

    @Override
    public Optional<Machine> find(PodId pod) throws PodException {
        var known = machines.get(pod);
        if (known != null && known.alive()) {
            return Optional.of(known);
        }
        var process = processes.find(pod);
        return process.isPresent() ? Optional.of(adopt(pod, process.get())) : Optional.empty();
    }

    /** A machine that does not answer is left as it is: its pod may still work. */
    private Machine adopt(PodId pod, HostProcess process) throws PodException {
        var directory = PodDirectory.of(run, pod);
        try {
            var console = Console.follow(directory);
            try {
                var origin = new Machine.Origin.Found();
                return keep(directory, process, console, origin, Deadline.after(ANSWER));
            } catch (PodException | InterruptedException e) {
                console.close();
                throw e;
            }
        } catch (PodException e) {
            process.close();
            throw e;
        } catch (InterruptedException e) {
            process.close();
            Thread.currentThread().interrupt();
            throw new PodException(Kind.DEADLINE, "interrupted while finding pod " + pod, "", e);
        }
    }

    @Override
    public List<PodId> leftovers() throws PodException {
        var pods = new TreeSet<PodId>((a, b) -> a.text().compareTo(b.text()));
        pods.addAll(processes.all());
        pods.addAll(PodDirectory.all(run));
        return new ArrayList<>(pods);
    }

    @Override
    public void destroy(PodId pod) throws PodException {
        var known = machines.get(pod);
        if (known != null) {
            known.close();
        }
        var process = processes.find(pod);
        if (process.isPresent()) {
            try (var vmm = process.get()) {
                vmm.kill(KILL);
            }
        }
        PodDirectory.of(run, pod).remove();
    }

    @Override
    public void close() {
        templates.close();
        machines.values().forEach(QemuMachine::forsake);
        machines.clear();
    }
}
