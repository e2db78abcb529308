package podvm.engine;

/**
 * Why a machine ended.
 *
 * @param detail one line: exit status of the VMM and its last error
 * @param console the console's last lines; may be empty
 */
public record MachineEnd(Reason reason, String detail, String console) {
    public enum Reason {
        /** The guest powered off. */
        POWER_OFF,
        /** The guest's kernel panicked or its process 1 ended. */
        GUEST_PANIC,
        /** The VMM ended by an error of its own. */
        VMM_FAILED,
        /** The VMM was killed by a signal that PodVM did not send. */
        VMM_KILLED,
        /** PodVM ended it. */
        CLOSED,
    }
}
