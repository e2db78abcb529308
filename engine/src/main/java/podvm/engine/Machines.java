package podvm.engine;

import java.util.List;
import java.util.Optional;

/** Boots virtual machines. One implementation per VMM or cloud; the engine never learns which. */
public interface Machines {
    /**
     * Fails with INVALID or EXHAUSTED where such a machine can never run here: told before anything
     * is made.
     */
    void check(MachineSize size, int disks) throws PodException;

    /**
     * Returns when the VMM runs and its guest address can be dialled; the guest may still be
     * booting. On failure leaves nothing behind.
     */
    Machine boot(MachineSpec spec, Deadline deadline) throws PodException, InterruptedException;

    /** Empty where every machine boots on its own. */
    Optional<Templates> templates();

    /** Finds a machine that an earlier daemon booted; empty when it is gone. */
    Optional<Machine> find(PodId pod) throws PodException;

    /**
     * Pods for which a machine, or a trace of one, exists on this node: the daemon removes what no
     * journal knows.
     */
    List<PodId> leftovers() throws PodException;

    /**
     * Ends the machine of a pod, known or not, and removes all its traces. Succeeds when there is
     * none.
     */
    void destroy(PodId pod) throws PodException;
}
