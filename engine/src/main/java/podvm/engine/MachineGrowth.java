package podvm.engine;

/** What a machine can be given beyond what it booted with. */
public interface MachineGrowth {
    Room room(Deadline deadline) throws PodException, InterruptedException;

    /**
     * Returns when the guest has so much more memory than at boot, or had already: memory that a
     * guest no longer uses goes back to the node in any case. Fails with DEADLINE where the guest
     * does not take it.
     */
    void memory(int moreMib, Deadline deadline) throws PodException, InterruptedException;

    /**
     * @param vcpus all that it can have, those at boot among them; the guest brings them online
     * @param memoryMib beyond the memory at boot
     */
    record Room(int vcpus, int memoryMib) {}
}
