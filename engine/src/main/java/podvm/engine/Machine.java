package podvm.engine;

import java.nio.file.Path;
import java.util.Optional;

/**
 * One running virtual machine. Closing it ends the VMM at once and removes all its host objects.
 */
public interface Machine extends AutoCloseable {
    PodId pod();

    GuestAddress guest();

    /**
     * Adds a disk to the running machine; it appears in the guest under its serial. Attaching the
     * same serial again is a no-op.
     */
    void attach(Disk disk, Deadline deadline) throws PodException, InterruptedException;

    void detach(Disk disk, Deadline deadline) throws PodException, InterruptedException;

    /**
     * Waits until the machine has ended, whatever the cause. May be called by several threads, also
     * after the end.
     */
    MachineEnd awaitEnd() throws InterruptedException;

    boolean alive();

    /** What the guest wrote to its console, growing; at most the newest 1 MiB is kept. */
    Path consoleLog();

    /** Process of the VMM, for accounting. */
    long pid();

    /** There may be no room. */
    MachineGrowth growth();

    /** What it uses of this node; empty where it has ended, or is not a process here. */
    Optional<MachineCost> cost();

    @Override
    void close() throws PodException;
}
