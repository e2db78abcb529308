package podvm.engine;

import java.nio.file.Path;
import java.util.Optional;

/**
 * One running virtual machine. Closing it ends the VMM at once and removes all its host objects.
 */
public interface Machine extends AutoCloseable {
    PodId pod();

    GuestAddress guest();

    Origin origin();

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

    MachinePlacement placement();

    /** What it uses of this node; empty where it has ended, or is not a process here. */
    Optional<MachineCost> cost();

    @Override
    void close() throws PodException;

    /** How a machine came to run. */
    sealed interface Origin {
        /**
         * From its kernel on.
         *
         * @param why it is not a copy of a template, where it could have been one; else empty
         */
        record Booted(String why) implements Origin {}

        /** As a copy of a template. */
        record Cloned() implements Origin {}

        /** By an earlier daemon. */
        record Found() implements Origin {}
    }
}
