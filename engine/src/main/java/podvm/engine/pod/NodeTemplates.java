package podvm.engine.pod;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import podvm.engine.MachineSpec;
import podvm.engine.MachineTemplates;
import podvm.engine.Nic;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.Templates;

/** The templates of this node's machines. */
public final class NodeTemplates implements MachineTemplates {
    private static final long MOST_CPU_MILLIS = 1_000_000;

    /** 1 TiB. */
    private static final long MOST_BYTES = 1L << 40;

    private final TemplatedMachines machines;
    private final EngineSettings settings;

    public NodeTemplates(TemplatedMachines machines, EngineSettings settings) {
        this.machines = machines;
        this.settings = settings;
    }

    @Override
    public List<Templates.Status> list() {
        return machines.templates().map(Templates::list).orElse(List.of());
    }

    @Override
    public Templates.Status build(Wish wish) throws PodException, InterruptedException {
        var templates = machines.templates();
        if (templates.isEmpty()) {
            return NONE.build(wish);
        }
        check("CPU", wish.cpuMillis(), MOST_CPU_MILLIS, "thousandths of a CPU");
        check("memory", wish.memoryBytes(), MOST_BYTES, "bytes");
        var size = Sizing.of(wish.cpuMillis(), wish.memoryBytes(), settings);
        machines.check(size, 0);
        var shape =
                new MachineSpec(
                        PodId.random(),
                        wish.namespace(),
                        size,
                        List.of(),
                        List.of(new Nic.Unplugged(nic(wish.network()))),
                        Optional.empty());
        return machines.build(templates.get(), shape);
    }

    private static void check(String what, Optional<Long> asked, long most, String unit)
            throws PodException {
        if (asked.isPresent() && (asked.get() < 1 || asked.get() > most)) {
            throw new PodException(
                    Kind.INVALID,
                    "a limit of " + asked.get() + " for " + what,
                    "give 1 to " + most + " " + unit);
        }
    }

    /** As {@link podvm.engine.Networks} make them, but for where it leads. */
    private static Nic nic(Network network) {
        var mac = Nic.commonMac(0);
        return switch (network) {
            case USER -> new Nic.User(mac);
            case CNI -> new Nic.Tap(mac, Path.of("/"), "");
        };
    }

    @Override
    public int prune() {
        return machines.templates().map(Templates::prune).orElse(0);
    }
}
