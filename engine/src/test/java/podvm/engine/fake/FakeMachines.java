package podvm.engine.fake;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import podvm.engine.Deadline;
import podvm.engine.Disk;
import podvm.engine.GuestAddress;
import podvm.engine.Machine;
import podvm.engine.MachineCost;
import podvm.engine.MachineEnd;
import podvm.engine.MachineGrowth;
import podvm.engine.MachinePlacement;
import podvm.engine.MachineSize;
import podvm.engine.MachineSpec;
import podvm.engine.Machines;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.Templates;

/** Machines that are maps in memory. */
public final class FakeMachines implements Machines {
    /** How a machine ends that did so by itself. */
    public static final MachineEnd ENDED =
            new MachineEnd(MachineEnd.Reason.GUEST_PANIC, "it panicked", "");

    private static final int LARGEST_MIB = 1 << 20;

    private final FakePrograms programs;
    private final Path directory;
    private final Map<PodId, FakeGuest> guests = new LinkedHashMap<>();
    private final List<FakeGuest> booted = new ArrayList<>();
    private Consumer<FakeGuest> firmware = FakeGuest::answer;
    private Optional<FakeTemplates> templates = Optional.empty();

    /**
     * @param directory for the consoles
     */
    public FakeMachines(FakePrograms programs, Path directory) {
        this.programs = programs;
        this.directory = directory;
    }

    /** What a guest does from now on when it is booted; usually it answers at once. */
    public synchronized void onBoot(Consumer<FakeGuest> then) {
        firmware = then;
    }

    /** From now on machines may be copies. */
    public synchronized FakeTemplates useTemplates() {
        var these = new FakeTemplates(this);
        templates = Optional.of(these);
        return these;
    }

    /** All guests that were ever booted, oldest first. */
    public synchronized List<FakeGuest> booted() {
        return List.copyOf(booted);
    }

    /** Machines that run, and traces of ended ones. */
    public synchronized List<PodId> open() {
        return List.copyOf(guests.keySet());
    }

    /** As if an earlier daemon, whose journal is lost, had booted it. */
    public synchronized FakeGuest haveStray(PodId pod) {
        return power(
                new MachineSpec(
                        pod, new MachineSize(1, 128), List.of(), List.of(), Optional.empty()));
    }

    @Override
    public void check(MachineSize size, int disks) throws PodException {
        if (size.memoryMib() > LARGEST_MIB) {
            throw new PodException(
                    Kind.EXHAUSTED,
                    "this node has no " + size.memoryMib() + " MiB",
                    "ask for less");
        }
    }

    @Override
    public synchronized Machine boot(MachineSpec spec, Deadline deadline) throws PodException {
        if (guests.containsKey(spec.pod())) {
            throw new PodException(Kind.ALREADY_EXISTS, "machine of " + spec.pod(), "");
        }
        var origin =
                templates
                        .map(known -> known.origin(spec))
                        .orElseGet(() -> new Machine.Origin.Booted(""));
        return new FakeMachine(power(spec), origin);
    }

    private FakeGuest power(MachineSpec spec) {
        var guest = new FakeGuest(spec, programs, directory.resolve("console-" + booted.size()));
        guests.put(spec.pod(), guest);
        booted.add(guest);
        firmware.accept(guest);
        return guest;
    }

    @Override
    public synchronized Optional<Templates> templates() {
        return templates.map(known -> known);
    }

    @Override
    public synchronized Optional<Machine> find(PodId pod) {
        return Optional.ofNullable(guests.get(pod))
                .filter(FakeGuest::alive)
                .map(guest -> new FakeMachine(guest, new Machine.Origin.Found()));
    }

    /** What the address of a machine leads to. */
    synchronized Optional<FakeGuest> at(GuestAddress address) {
        return guests.values().stream()
                .filter(guest -> address(guest.spec().pod()).equals(address))
                .findFirst();
    }

    private static GuestAddress address(PodId pod) {
        return new GuestAddress.Serial(Path.of("/fake", pod.text()));
    }

    @Override
    public List<PodId> leftovers() {
        return open();
    }

    @Override
    public synchronized void destroy(PodId pod) {
        var guest = guests.remove(pod);
        if (guest != null) {
            guest.end(new MachineEnd(MachineEnd.Reason.CLOSED, "closed", ""));
        }
    }

    private final class FakeMachine implements Machine {
        private final FakeGuest guest;
        private final Origin origin;

        FakeMachine(FakeGuest guest, Origin origin) {
            this.guest = guest;
            this.origin = origin;
        }

        @Override
        public PodId pod() {
            return guest.spec().pod();
        }

        @Override
        public GuestAddress guest() {
            return address(pod());
        }

        @Override
        public Origin origin() {
            return origin;
        }

        @Override
        public void attach(Disk disk, Deadline deadline) {
            guest.attach(disk);
        }

        @Override
        public void detach(Disk disk, Deadline deadline) {}

        @Override
        public MachineEnd awaitEnd() throws InterruptedException {
            return guest.awaitEnd();
        }

        @Override
        public boolean alive() {
            return guest.alive();
        }

        @Override
        public Path consoleLog() {
            return guest.console();
        }

        @Override
        public long pid() {
            return 1;
        }

        @Override
        public MachineGrowth growth() {
            return guest.growth;
        }

        @Override
        public MachinePlacement placement() {
            return guest.placement;
        }

        @Override
        public Optional<MachineCost> cost() {
            return guest.alive() ? Optional.of(guest.meters.cost()) : Optional.empty();
        }

        @Override
        public void close() {
            destroy(pod());
        }
    }
}
