package podvm.machine.qemu;

/** What executes the guest's instructions. Never both with a fallback: a KVM that hangs stays. */
public enum Accelerator {
    /** The CPU itself. */
    KVM,
    /** QEMU's translator: needs nothing of the host, and is some ten times slower. */
    TCG
}
