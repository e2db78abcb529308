package podvm.machine.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import podvm.engine.MachineEnd;
import podvm.engine.MachineEnd.Reason;
import podvm.linux.ProcessEnd;
import podvm.linux.Signal;

class ShutdownTest {
    private static final ProcessEnd DONE = new ProcessEnd.Exited(0);
    private static final ProcessEnd UNKNOWN = new ProcessEnd.Unknown();

    @Test
    void whatPodVmEndsIsClosed() {
        var killed = new ProcessEnd.Killed(Signal.KILL);
        assertThat(end(killed, true, "", "").reason()).isEqualTo(Reason.CLOSED);
    }

    @Test
    void aKillPointsToMemory() {
        var end = end(new ProcessEnd.Killed(Signal.KILL), false, "", "");
        assertThat(end.reason()).isEqualTo(Reason.VMM_KILLED);
        assertThat(end.detail()).contains("SIGKILL", "memory");
    }

    @Test
    void aForbiddenSystemCallIsTold() {
        var end = end(new ProcessEnd.Killed(new Signal(31)), false, "", "");
        assertThat(end.detail()).contains("SIGSYS", "sandbox");
    }

    @Test
    void aFailureTellsQemusLastWords() {
        var end = end(new ProcessEnd.Exited(1), false, "", "no space");
        assertThat(end.reason()).isEqualTo(Reason.VMM_FAILED);
        assertThat(end.detail()).isEqualTo("QEMU exited with status 1: no space");
    }

    @Test
    void theGuestsShutdownIsAPowerOff() {
        assertThat(end(DONE, false, "guest-shutdown", "").reason()).isEqualTo(Reason.POWER_OFF);
        assertThat(end(UNKNOWN, false, "guest-shutdown", "").reason()).isEqualTo(Reason.POWER_OFF);
        assertThat(end(DONE, false, "guest-reset", "").reason()).isEqualTo(Reason.POWER_OFF);
    }

    @Test
    void aPanicOutweighsTheResetThatFollowsIt() {
        var shutdown =
                new Shutdown(
                        DONE, false, Optional.of("guest-reset"), "", Optional.of("panic!"), "");
        assertThat(shutdown.end()).isEqualTo(new MachineEnd(Reason.GUEST_PANIC, "panic!", ""));
    }

    @Test
    void anAdoptedVmmThatVanishedWasKilled() {
        assertThat(end(UNKNOWN, false, "", "").reason()).isEqualTo(Reason.VMM_KILLED);
    }

    private static MachineEnd end(ProcessEnd process, boolean closed, String cause, String log) {
        var told = cause.isEmpty() ? Optional.<String>empty() : Optional.of(cause);
        return new Shutdown(process, closed, told, log, Optional.empty(), "").end();
    }
}
