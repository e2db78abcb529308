package podvm.engine.pod;

import podvm.engine.MachineEnd;

/** What the end of a machine is for its pod. */
final class MachineEnds {
    private MachineEnds() {}

    /** As a pod's reason: one word. */
    static String word(MachineEnd.Reason reason) {
        return switch (reason) {
            case POWER_OFF -> "GuestPoweredOff";
            case GUEST_PANIC -> "GuestPanic";
            case VMM_FAILED -> "VmmFailed";
            case VMM_KILLED -> "VmmKilled";
            case CLOSED -> "MachineClosed";
        };
    }
}
