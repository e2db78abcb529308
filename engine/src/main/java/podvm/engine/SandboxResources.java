package podvm.engine;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;

/** What pod sandboxes and their containers use, and what they may use. */
public interface SandboxResources {
    /** Fails with NOT_FOUND, and with CONFLICT where it is not ready. */
    PodStats stats(SandboxId sandbox, GuestResources.Detail detail)
            throws PodException, InterruptedException;

    /** Of those that are ready and answer in time: one that does not must not hide the others. */
    Map<SandboxId, PodStats> stats(Collection<SandboxId> sandboxes, GuestResources.Detail detail)
            throws InterruptedException;

    /**
     * Changes what a container may use, at once where it runs; what is 0 or empty stays as it is.
     * Fails with NOT_FOUND, with UNSUPPORTED where its machine cannot do it, and with INVALID where
     * the guest's kernel does not take it.
     */
    void update(ContainerId container, ContainerConfig.Resources change)
            throws PodException, InterruptedException;

    /**
     * The same for all containers of a sandbox together, which stay within its CPUs and memory
     * nodes as well. Fails with CONFLICT where it is not ready.
     *
     * @param overheadBytes of memory, beside the containers; empty: stays as it is
     */
    void update(SandboxId sandbox, ContainerConfig.Resources change, Optional<Long> overheadBytes)
            throws PodException, InterruptedException;
}
