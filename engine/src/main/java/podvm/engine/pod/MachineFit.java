package podvm.engine.pod;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import podvm.engine.ContainerConfig.Resources;
import podvm.engine.Deadline;
import podvm.engine.MachineGrowth.Room;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.SandboxSpec.Limits;

/**
 * Makes a running machine as large as its containers may become, and never smaller than it was
 * started. More memory stays: what its kernel no longer needs goes back to the node page by page.
 */
final class MachineFit {
    private static final Duration CALL = Duration.ofSeconds(60);

    private final Sandbox sandbox;
    private final EngineSettings settings;
    private final Room room;

    private MachineFit(Sandbox sandbox, EngineSettings settings, Room room) {
        this.sandbox = sandbox;
        this.settings = settings;
        this.room = room;
    }

    static MachineFit of(Sandbox sandbox, EngineSettings settings)
            throws PodException, InterruptedException {
        var room = sandbox.machine().growth().room(Deadline.after(CALL));
        return new MachineFit(sandbox, settings, room);
    }

    /** What the machine can come to have. */
    MachineSize most() {
        var booted = sandbox.size();
        return new MachineSize(
                Math.max(booted.vcpus(), room.vcpus()), booted.memoryMib() + room.memoryMib());
    }

    /**
     * What containers may use together.
     *
     * @param exact none of them may use all vCPUs there are
     */
    record Need(MachineSize size, boolean exact) {}

    /**
     * @param hugepages of all of them
     * @param running of the containers that have not ended, or of all together
     */
    Need need(Collection<Resources> running, long overheadBytes, Map<String, Long> hugepages) {
        long millis = 0;
        long bytes = 0;
        boolean exact = true;
        for (var one : running) {
            exact &= one.cpuQuotaMicros() > 0;
            millis += LimitChange.cpuMillis(one);
            bytes += Math.max(0, one.memoryBytes());
        }
        var limits = new Limits(Optional.of(millis), Optional.of(bytes), overheadBytes, hugepages);
        return new Need(size(limits), exact);
    }

    /** Within what the machine can have. */
    private MachineSize size(Limits limits) {
        var wanted = Sizing.of(limits, settings);
        return new MachineSize(
                Math.clamp(wanted.vcpus(), sandbox.size().vcpus(), most().vcpus()),
                Math.clamp(wanted.memoryMib(), sandbox.size().memoryMib(), most().memoryMib()));
    }

    /** Before limits rise. */
    void grow(Need need) throws PodException, InterruptedException {
        int moreMib = need.size().memoryMib() - sandbox.size().memoryMib();
        if (need.size().vcpus() > sandbox.size().vcpus() || moreMib > 0) {
            vcpus(need.size().vcpus(), 0);
        }
        if (moreMib > 0) {
            sandbox.machine().growth().memory(blocks(moreMib), Deadline.after(CALL));
        }
    }

    /** After limits have fallen. */
    void shrink(Need need) throws PodException, InterruptedException {
        if (need.exact() && room.vcpus() > sandbox.size().vcpus()) {
            vcpus(0, need.size().vcpus());
        }
    }

    private void vcpus(int least, int most) throws PodException, InterruptedException {
        var _ = sandbox.agent().resources().adjustVcpus(least, most, Deadline.after(CALL));
    }

    /** Memory is added in such steps; the room is a multiple of them. */
    private static int blocks(int mib) {
        return Math.ceilDiv(mib, MachineSize.MEMORY_STEP_MIB) * MachineSize.MEMORY_STEP_MIB;
    }
}
