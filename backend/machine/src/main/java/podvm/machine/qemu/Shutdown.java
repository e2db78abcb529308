package podvm.machine.qemu;

import java.util.Optional;
import podvm.engine.MachineEnd;
import podvm.engine.MachineEnd.Reason;
import podvm.linux.ProcessEnd;
import podvm.linux.Signal;

/**
 * Tells why a machine ended from what is known of it.
 *
 * @param closed whether PodVM ended it
 * @param cause reason of QEMU's SHUTDOWN event (qemu: qapi/run-state.json, ShutdownCause)
 * @param vmmError the last line of QEMU's log
 * @param panic what the guest's kernel wrote when it gave up
 */
record Shutdown(
        ProcessEnd process,
        boolean closed,
        Optional<String> cause,
        String vmmError,
        Optional<String> panic,
        String console) {
    private static final int SIGSYS = 31;

    MachineEnd end() {
        if (closed) {
            return end(Reason.CLOSED, "PodVM ended it");
        }
        return switch (process) {
            case ProcessEnd.Killed(var signal) ->
                    end(Reason.VMM_KILLED, "QEMU was killed by " + signal + hint(signal));
            case ProcessEnd.Exited(var status) when status != 0 ->
                    end(Reason.VMM_FAILED, "QEMU exited with status " + status + lastWords());
            case ProcessEnd.Exited _, ProcessEnd.Unknown _ -> byGuest();
        };
    }

    private MachineEnd byGuest() {
        if (panic.isPresent()) {
            return end(Reason.GUEST_PANIC, panic.get());
        }
        return switch (cause.orElse("")) {
            case "guest-panic" -> end(Reason.GUEST_PANIC, "the guest panicked");
            case "guest-shutdown" -> end(Reason.POWER_OFF, "the guest powered off");
            case "guest-reset" -> end(Reason.POWER_OFF, "the guest restarted, which ends it");
            case "host-signal" ->
                    end(Reason.VMM_KILLED, "QEMU was told to end by a signal" + lastWords());
            case "" -> end(Reason.VMM_KILLED, "QEMU vanished without telling why" + lastWords());
            default -> end(Reason.VMM_FAILED, "QEMU ended: " + cause.orElse("") + lastWords());
        };
    }

    private static String hint(Signal signal) {
        return switch (signal.number()) {
            case 9 -> ", likely for want of memory: see dmesg";
            case SIGSYS -> ": it made a system call that its sandbox forbids";
            default -> "";
        };
    }

    private String lastWords() {
        return vmmError.isEmpty() ? "" : ": " + vmmError;
    }

    private MachineEnd end(Reason reason, String detail) {
        return new MachineEnd(reason, detail, console);
    }
}
