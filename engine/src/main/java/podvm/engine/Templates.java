package podvm.engine;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Machines that have booted once, so that others start as copies of them. {@link Machines#boot}
 * uses one that fits of its own accord. What it is about is the shape of a machine: its size, its
 * network devices, and what it boots; not its disks.
 */
public interface Templates {
    /** Whether nothing is there yet for machines of this shape, and nothing was found to fail. */
    boolean wanted(MachineSpec shape);

    /** Boots a machine that is to become the template of its shape; it has no disks. */
    Draft draft(MachineSpec shape, Deadline deadline) throws PodException, InterruptedException;

    /** Removes the template of a shape and makes none again; machines that run keep theirs. */
    void reject(MachineSpec shape, String why);

    List<Status> list();

    /** Removes all of them, and what is known of failures; returns how many there were. */
    int prune();

    /**
     * A machine on its way to be a template. Closing it ends the machine where it still runs, and
     * forgets what was not published.
     */
    interface Draft extends AutoCloseable {
        Machine machine();

        /** Stops the machine for good, to be copied. Nobody may be connected to it. */
        void freeze(Deadline deadline) throws PodException, InterruptedException;

        /** A copy that reaches nothing, to see whether it answers. */
        Machine trial(Deadline deadline) throws PodException, InterruptedException;

        /**
         * From now on machines of its shape start as its copies, and no longer as those of an older
         * one. Fails with EXHAUSTED where it takes more memory than templates may.
         */
        Status publish() throws PodException;

        @Override
        void close() throws PodException;
    }

    /**
     * @param networks its network devices, in words
     * @param namespace whose pods start from it; empty: everybody's
     * @param clones how many machines have started from it
     * @param bytes of memory; copies share it until they write to it
     * @param failure why there is none of this shape
     */
    record Status(
            MachineSize size,
            List<String> networks,
            String namespace,
            Instant made,
            long clones,
            long bytes,
            Optional<String> failure) {}
}
