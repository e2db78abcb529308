package podvm.engine;

/** What a machine has. */
public record MachineSize(int vcpus, int memoryMib) {
    /** Memory is added to a running machine in multiples of this. */
    public static final int MEMORY_STEP_MIB = 128;
}
