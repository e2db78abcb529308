package podvm.machine.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.MachineSize;
import podvm.engine.MachineSpec;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.machine.NodeCgroups;

/** VMMs that do not come as far as a machine. */
@Timeout(60)
class QemuMachinesTest {
    @TempDir Path directory;

    @Test
    void aVmmThatHangsBeforeItsGreetingIsEndedAndAllItSaidIsTold() throws Exception {
        var failure =
                boot(
                        """
                        print STDERR "qemu-fake: waiting for a lock\\n";
                        my $console = chardev('console');
                        print $console "the guest's first line\\n";
                        sleep 1000;
                        """,
                        Duration.ofSeconds(4));

        assertThat(failure.kind()).isEqualTo(Kind.DEADLINE);
        assertThat(failure.getMessage())
                .contains("did not give the greeting")
                .contains("QEMU says: qemu-fake: waiting for a lock")
                .contains("the guest's console ends: the guest's first line");
        assertThat(failure.remedy()).contains("podvm doctor");
    }

    @Test
    void aVmmThatHangsWithoutAWordIsToldWithARemedyToo() throws Exception {
        var failure = boot("sleep 1000;", Duration.ofSeconds(1));

        assertThat(failure.kind()).isEqualTo(Kind.DEADLINE);
        assertThat(failure.getMessage()).doesNotContain("QEMU says").doesNotContain("console");
        assertThat(failure.remedy()).contains("podvm doctor");
    }

    @Test
    void aVmmThatEndsBeforeItsGreetingIsToldWithItsLastWords() throws Exception {
        var failure =
                boot(
                        "print STDERR \"qemu-fake: no such machine type\\n\"; exit 1;",
                        Duration.ofSeconds(20));

        assertThat(failure.kind()).isEqualTo(Kind.MACHINE);
        assertThat(failure.getMessage()).contains("QEMU says: qemu-fake: no such machine type");
        assertThat(failure.remedy()).contains("podvm doctor");
    }

    /** The failure of a boot that leaves nothing behind. */
    private PodException boot(String deed, Duration patience) throws Exception {
        try (var machines =
                new QemuMachines(
                        FakeVmm.options(directory, deed),
                        new NodeCgroups(Path.of("/sys/fs/cgroup"), System.out::println))) {
            var spec =
                    new MachineSpec(
                            PodId.random(),
                            new MachineSize(1, 128),
                            List.of(),
                            List.of(),
                            Optional.empty());
            var failure =
                    catchThrowableOfType(
                            PodException.class,
                            () -> machines.boot(spec, Deadline.after(patience)));
            assertThat(machines.leftovers()).isEmpty();
            assertThat(directory.resolve("run/pods")).isEmptyDirectory();
            assertThat(ProcessHandle.allProcesses().flatMap(p -> p.info().commandLine().stream()))
                    .noneMatch(line -> line.contains(directory.toString()));
            return failure;
        }
    }
}
