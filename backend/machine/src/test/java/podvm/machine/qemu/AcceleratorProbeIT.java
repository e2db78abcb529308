package podvm.machine.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Finding;
import podvm.linux.User;
import podvm.machine.GuestProgram;
import podvm.machine.VmmUser;

@Timeout(60)
@EnabledIf(
        value = "podvm.machine.qemu.Guest#isBuilt",
        disabledReason = "PODVM_GUEST names no directory with a vmlinux")
class AcceleratorProbeIT {
    @TempDir Path temporary;

    @Test
    void theVerdictComesWithAReasonAndIsRemembered() throws Exception {
        var probe = probe();
        var verdict = probe.verdict();
        System.out.println("accelerator: " + verdict);
        assertThat(verdict.reason()).isNotBlank().doesNotContain("\n");
        var began = System.nanoTime();
        assertThat(probe.verdict()).isEqualTo(verdict);
        assertThat(System.nanoTime() - began).isLessThan(1_000_000_000L);
    }

    /** On hosts where KVM hangs ordinary kernels this takes the full limit, and kills the VMM. */
    @Test
    void theDaemonsOwnUserHasAVerdictToo() throws Exception {
        var verdict = probe(Optional.empty()).verdict();
        System.out.println("accelerator as ourselves: " + verdict);
        assertThat(verdict.reason()).isNotBlank();
    }

    @Test
    void anotherKernelIsProbedAnew() throws Exception {
        var known = "x\nKVM\nof another host boot";
        Files.createDirectories(temporary.resolve("cache"));
        Files.writeString(temporary.resolve("cache/accelerator"), known);
        assertThat(probe().verdict().reason()).isNotEqualTo("of another host boot");
    }

    @Test
    void doctorTellsWhatIsThere() throws Exception {
        var bare = GuestProgram.POWERS_OFF.initramfs(temporary);
        var findings = QemuPrerequisites.check(Guest.kernel(), bare, probe());
        assertThat(findings)
                .extracting(Finding::name)
                .contains("QEMU", "guest kernel", "guest initramfs", "KVM");
        assertThat(findings.getFirst().version()).matches("\\d+\\.\\d+.*");
    }

    @Test
    void doctorTellsWhatIsMissing() throws Exception {
        var findings = QemuPrerequisites.check(Path.of("/nowhere"), Path.of("/nowhere"), probe());
        assertThat(findings)
                .filteredOn(finding -> finding.name().equals("guest kernel"))
                .allMatch(finding -> finding.state() == Finding.State.MISSING)
                .allMatch(finding -> !finding.remedy().isEmpty());
    }

    private AcceleratorProbe probe() throws Exception {
        return probe(User.isRoot() ? Optional.of(VmmUser.find(true)) : Optional.empty());
    }

    private AcceleratorProbe probe(Optional<VmmUser> user) throws Exception {
        return new AcceleratorProbe(
                QemuPrerequisites.findBinary().orElseThrow(),
                Guest.kernel(),
                GuestProgram.POWERS_OFF.initramfs(temporary),
                temporary.resolve("cache"),
                user);
    }
}
