package podvm.engine;

import java.util.Collection;
import java.util.Map;

/** What pod sandboxes and their containers use, and what they may use. */
public interface SandboxResources {
    /** Fails with NOT_FOUND, and with CONFLICT where it is not ready. */
    PodStats stats(SandboxId sandbox, GuestResources.Detail detail)
            throws PodException, InterruptedException;

    /** Of those that are ready and answer in time: one that does not must not hide the others. */
    Map<SandboxId, PodStats> stats(Collection<SandboxId> sandboxes, GuestResources.Detail detail)
            throws InterruptedException;
}
