package podvm.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import org.junit.jupiter.api.Test;
import podvm.engine.GuestProcess;
import podvm.proto.agent.v1.ListProcessesResponse;
import podvm.proto.agent.v1.ProcessUse;

class ProcessesTest {
    private static final String ID = "0123456789abcdef".repeat(2);

    private static ProcessUse.Builder process() {
        return ProcessUse.newBuilder()
                .setContainerId(ID)
                .setPid(7)
                .setParentPid(1)
                .setUid(-2)
                .setState("S")
                .setCpuMs(5)
                .setResidentBytes(4096)
                .setCommand("sleep 1");
    }

    private static GuestProcess read(ProcessUse.Builder process) {
        var all = Processes.read(ListProcessesResponse.newBuilder().addProcesses(process).build());
        assertThat(all).hasSize(1);
        return all.getFirst();
    }

    @Test
    void aProcessIsReadWithItsNumbersUnsigned() {
        var process = read(process());
        assertThat(process.pid()).isEqualTo(7);
        assertThat(process.uid()).isEqualTo(4294967294L);
        assertThat(process.command()).isEqualTo("sleep 1");
    }

    @Test
    void whatAGuestMakesUpIsBroughtIntoItsBounds() {
        var process =
                read(
                        process()
                                .setState("\u001b[2J")
                                .setCpuMs(-1)
                                .setCommand("\u001b]0;x\u0007\n" + "a".repeat(100_000)));
        assertThat(process.state()).isEqualTo("?");
        assertThat(process.cpuMillis()).isZero();
        assertThat(process.command()).hasSize(1024).doesNotContain("\u001b", "\n");
    }

    @Test
    void ofTooManyProcessesAndOfUnknownContainersNoneAreTaken() {
        var many =
                ListProcessesResponse.newBuilder()
                        .addProcesses(process().setContainerId("../x"))
                        .addAllProcesses(Collections.nCopies(10_000, process().build()));
        assertThat(Processes.read(many.build())).hasSize(4095);
    }
}
