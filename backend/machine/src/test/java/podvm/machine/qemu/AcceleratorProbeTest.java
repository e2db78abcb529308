package podvm.machine.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.machine.VmmUser;
import podvm.machine.qemu.AcceleratorProbe.Verdict;

/** Verdicts on programs in QEMU's place, with a file in the place of /dev/kvm. */
@Timeout(60)
class AcceleratorProbeTest {
    private static final String MAY_NOT_OPEN =
            """
            print STDERR "Could not access KVM kernel module: Permission denied\\n";
            print STDERR "qemu-fake: failed to initialize kvm: Permission denied\\n";
            exit 1;
            """;

    @TempDir Path directory;

    @Test
    void aDeviceThatTheVmmMayNotOpenIsToldWithUserModeAndAGroupToMake() throws Exception {
        var verdict = probe(MAY_NOT_OPEN, "rw-------").verdict();

        assertThat(verdict.accelerator()).isEqualTo(Accelerator.TCG);
        assertThat(verdict.reason())
                .contains(directory.resolve("kvm") + " cannot be opened by user")
                .contains(System.getProperty("user.name"))
                .contains("mode rw-------");
        assertThat(verdict.remedy())
                .contains("GROUP=\"kvm\", MODE=\"0660\"")
                .contains("udevadm trigger")
                .contains("usermod -aG kvm " + System.getProperty("user.name"))
                .doesNotContain("firmware");
    }

    @Test
    void aVmmThatRunsAsAnotherUserIsNamedAndNeedsNoGroupOfItsOwn() throws Exception {
        var verdict =
                new KvmDevice(device("rw-------"))
                        .denied(
                                Optional.of(
                                        new VmmUser("nobody", 65534, 65534, OptionalInt.empty())));

        assertThat(verdict.reason()).contains("cannot be opened by user nobody");
        assertThat(verdict.remedy()).contains("MODE=\"0660\"").doesNotContain("usermod");
    }

    @Test
    void aVerdictIsRememberedWithItsRemedyUntilTheDevicesModeChanges() throws Exception {
        var probe = probe(MAY_NOT_OPEN, "rw-------");
        var first = probe.verdict();
        assertThat(probe.verdict()).isEqualTo(first);

        Files.setPosixFilePermissions(
                directory.resolve("kvm"), PosixFilePermissions.fromString("rw-rw-rw-"));
        assertThat(probe.verdict().reason()).contains("mode rw-rw-rw-");
    }

    @Test
    void otherFailuresAreNoQuestionOfPermission() throws Exception {
        var verdict =
                probe("print STDERR \"KVM: entry failed\\n\"; exit 1;", "rw-rw-rw-").verdict();

        assertThat(verdict.reason()).contains("ended early").contains("KVM: entry failed");
        assertThat(verdict.remedy()).contains("firmware").doesNotContain("usermod");
    }

    @Test
    void aProbeThatReachesItsProgramNeedsNoRemedy() throws Exception {
        assertThat(probe("print \"podvm-bare\\n\";", "rw-rw-rw-").verdict())
                .isEqualTo(
                        new Verdict(Accelerator.KVM, "a probe boot with KVM reached its program"));
    }

    @Test
    void aHostWithoutTheDeviceIsNotProbed() throws Exception {
        var device = directory.resolve("none");
        var verdict = probe("die;", new KvmDevice(device)).verdict();

        assertThat(verdict.reason()).contains("no " + device);
        assertThat(verdict.remedy()).contains("firmware");
    }

    private AcceleratorProbe probe(String deed, String mode) throws Exception {
        return probe(deed, new KvmDevice(device(mode)));
    }

    private AcceleratorProbe probe(String deed, KvmDevice device) throws Exception {
        var anything = Files.writeString(directory.resolve("anything"), "");
        return new AcceleratorProbe(
                FakeVmm.script(directory, deed),
                anything,
                anything,
                directory.resolve("cache"),
                Optional.empty(),
                device);
    }

    private Path device(String mode) throws Exception {
        return Files.setPosixFilePermissions(
                Files.writeString(directory.resolve("kvm"), ""),
                PosixFilePermissions.fromString(mode));
    }
}
