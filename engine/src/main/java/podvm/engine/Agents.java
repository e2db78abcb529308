package podvm.engine;

/** Reaches the agent inside a machine. */
public interface Agents {
    /** Returns once the agent has answered, waiting for the guest to boot. */
    Agent connect(GuestAddress guest, Deadline deadline) throws PodException, InterruptedException;
}
