package podvm.engine.fake;

import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import podvm.engine.Deadline;
import podvm.engine.Machine;
import podvm.engine.Machine.Origin;
import podvm.engine.MachineSize;
import podvm.engine.MachineSpec;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.Templates;

/** Templates that are no more than the sizes of machines. */
public final class FakeTemplates implements Templates {
    private final FakeMachines machines;
    private final Set<MachineSize> made = new HashSet<>();
    private final Map<MachineSize, String> failures = new HashMap<>();

    FakeTemplates(FakeMachines machines) {
        this.machines = machines;
    }

    /** As if one had been made before. */
    public synchronized void have(MachineSize size) {
        made.add(size);
    }

    synchronized Origin origin(MachineSpec spec) {
        return made.contains(spec.size())
                ? new Origin.Cloned()
                : new Origin.Booted(failures.getOrDefault(spec.size(), "there is none yet"));
    }

    @Override
    public synchronized boolean wanted(MachineSpec shape) {
        return !made.contains(shape.size()) && !failures.containsKey(shape.size());
    }

    @Override
    public Draft draft(MachineSpec shape, Deadline deadline) throws PodException {
        var machine = blank(shape, deadline);
        return new Draft() {
            @Override
            public Machine machine() {
                return machine;
            }

            @Override
            public void freeze(Deadline freezing) throws PodException {
                machine.close();
            }

            @Override
            public Machine trial(Deadline booting) throws PodException {
                return blank(shape, booting);
            }

            @Override
            public Status publish() {
                have(shape.size());
                return status(shape.size(), Optional.empty());
            }

            @Override
            public void close() throws PodException {
                machine.close();
            }
        };
    }

    private Machine blank(MachineSpec shape, Deadline deadline) throws PodException {
        var blank =
                new MachineSpec(
                        PodId.random(), shape.size(), List.of(), List.of(), Optional.empty());
        return machines.boot(blank, deadline);
    }

    @Override
    public synchronized void reject(MachineSpec shape, String why) {
        made.remove(shape.size());
        failures.put(shape.size(), why);
    }

    @Override
    public synchronized List<Status> list() {
        return Stream.concat(
                        made.stream().map(size -> status(size, Optional.empty())),
                        failures.entrySet().stream()
                                .map(failure ->
                                        status(failure.getKey(), Optional.of(failure.getValue()))))
                .toList();
    }

    private static Status status(MachineSize size, Optional<String> failure) {
        return new Status(size, List.of("user"), "", Instant.EPOCH, 0, 0, failure);
    }

    @Override
    public synchronized int prune() {
        int many = made.size();
        made.clear();
        failures.clear();
        return many;
    }
}
