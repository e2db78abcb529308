package podvm.machine.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import podvm.engine.Disk;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

class MicrovmArgumentsTest {
    @Test
    void anAcceleratorHasNoFallback() throws Exception {
        assertThat(line(Accelerator.KVM)).contains("-accel kvm -cpu host").doesNotContain("tcg");
        assertThat(line(Accelerator.TCG)).contains("-accel tcg").doesNotContain("kvm");
    }

    @Test
    void onlyATranslatedGuestIsToldItsClock() throws Exception {
        assertThat(line(Accelerator.TCG)).containsPattern("tsc_early_khz=\\d{6,8} more=1");
        assertThat(line(Accelerator.KVM)).doesNotContain("tsc_early_khz").contains("more=1");
    }

    @Test
    void theVmmMayNeitherStartProgramsNorGainRights() throws Exception {
        assertThat(line(Accelerator.KVM))
                .contains("-sandbox on", "spawn=deny", "elevateprivileges=deny", "obsolete=deny");
    }

    @Test
    void aScratchDiskIsFastAndGivesSpaceBackWhileALayerIsReadOnly() throws Exception {
        var scratch = DiskArguments.of(disk("scratch", Disk.Access.READ_WRITE)).blockdev(7);
        assertThat(Json.text(scratch))
                .contains("\"no-flush\":true", "\"discard\":\"unmap\"", "/dev/fdset/7");
        var layer = DiskArguments.of(disk("L1", Disk.Access.READ_ONLY)).blockdev(8);
        assertThat(Json.text(layer)).contains("\"read-only\":true", "\"no-flush\":false");
    }

    @Test
    void aSerialThatQemuCannotNameIsRefused() {
        for (var serial : List.of("", "1abc", "a,b", "a".repeat(32), "Ä")) {
            assertThatThrownBy(() -> DiskArguments.of(disk(serial, Disk.Access.READ_ONLY)))
                    .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                    .matches(e -> e.kind() == Kind.INVALID);
        }
    }

    private static Disk disk(String serial, Disk.Access access) {
        return new Disk(serial, Path.of("/some.img"), access);
    }

    private static String line(Accelerator accelerator) throws PodException {
        var options =
                new QemuOptions(
                        Path.of("/usr/bin/qemu-system-x86_64"),
                        Path.of("/vmlinux"),
                        Path.of("/initramfs"),
                        accelerator,
                        Path.of("/run/podvm"),
                        Optional.empty(),
                        TemplateRules.NONE,
                        1,
                        List.of("more=1"));
        return String.join(" ", MicrovmArguments.probe(options, new MachineSize(1, 128)));
    }
}
