package podvm.machine.qemu;

import java.util.ArrayList;
import java.util.List;
import podvm.engine.MachineGrowth.Room;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.machine.HostCapacity;

/**
 * How a machine is built that can grow: with all vCPUs and all memory that it may come to have, of
 * which its kernel at first sees what was asked for. The rest costs nothing until it is used: a
 * vCPU that was never started is a thread that sleeps, and memory that the kernel does not know has
 * neither pages nor page structs. A virtio-mem device tells the guest of more memory, and how much
 * of it.
 *
 * @param room what it can have
 */
record Headroom(MachineSize size, Room room) {
    /** Linux adds memory to a machine in blocks of this size, which begin at multiples of it. */
    private static final int BLOCK_MIB = MachineSize.MEMORY_STEP_MIB;

    /** Where microvm interrupts memory for its devices, to go on at 4 GiB. */
    private static final int GAP_MIB = 3584;

    private static final int GAP_LENGTH_MIB = 4096 - GAP_MIB;

    static Headroom none(MachineSize size) {
        return new Headroom(size, new Room(size.vcpus(), 0));
    }

    /** As this node is configured. */
    static Headroom here(QemuOptions options, MachineSize size) throws PodException {
        return of(size, options.growth(), HostCapacity.now());
    }

    /**
     * @param factor how many times as large as asked for it may become, within the host
     */
    static Headroom of(MachineSize size, int factor, HostCapacity host) {
        var vcpus = Math.min((long) size.vcpus() * factor, host.cpus());
        var memory =
                Math.min(
                        (long) size.memoryMib() * (factor - 1), host.totalMib() - size.memoryMib());
        return new Headroom(
                size,
                new Room(
                        (int) Math.max(vcpus, size.vcpus()),
                        (int) Math.max(0, memory / BLOCK_MIB) * BLOCK_MIB));
    }

    int vcpus() {
        return room.vcpus();
    }

    boolean hasMemory() {
        return room.memoryMib() > 0;
    }

    private long start() {
        return Math.ceilDiv((long) size.memoryMib(), BLOCK_MIB) * BLOCK_MIB;
    }

    /** All memory of the machine, known to its kernel or not. */
    long memoryMib() {
        if (!hasMemory()) {
            return size.memoryMib();
        }
        return startsAboveGap() ? GAP_MIB + room.memoryMib() : start() + room.memoryMib();
    }

    /** A device's memory is in one piece. */
    private boolean startsAboveGap() {
        return start() < GAP_MIB && start() + room.memoryMib() > GAP_MIB;
    }

    /** Guest's physical address of what can be added. */
    long address() {
        long mib =
                startsAboveGap()
                        ? GAP_MIB + GAP_LENGTH_MIB
                        : start() + (start() < GAP_MIB ? 0 : GAP_LENGTH_MIB);
        return mib << 20;
    }

    /** What the guest's kernel must be told. */
    List<String> kernelArguments() {
        var words = new ArrayList<String>();
        if (vcpus() > size.vcpus()) {
            words.add("maxcpus=" + size.vcpus());
        }
        if (hasMemory()) {
            int gap = size.memoryMib() > GAP_MIB ? GAP_LENGTH_MIB : 0;
            words.add("mem=" + (size.memoryMib() + gap) + "M");
            words.add("memhp_default_state=online");
        }
        return List.copyOf(words);
    }
}
