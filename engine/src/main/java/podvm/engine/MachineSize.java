package podvm.engine;

/** What a machine has. */
public record MachineSize(int vcpus, int memoryMib) {}
