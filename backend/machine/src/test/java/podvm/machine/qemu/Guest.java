package podvm.machine.qemu;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import podvm.engine.PodException;
import podvm.linux.User;
import podvm.machine.VmmUser;

/** The guest files that integration tests boot: those of the directory PODVM_GUEST. */
final class Guest {
    private Guest() {}

    static boolean isBuilt() {
        return Files.exists(kernel());
    }

    static Path kernel() {
        var directory = System.getenv("PODVM_GUEST");
        return Path.of(directory == null ? "/nowhere" : directory, "vmlinux");
    }

    static QemuOptions options(Path run, Path kernel, Path initramfs) throws PodException {
        return new QemuOptions(
                Path.of("/usr/bin/qemu-system-x86_64"),
                kernel,
                initramfs,
                Accelerator.TCG,
                run,
                User.isRoot() ? Optional.of(VmmUser.find(false)) : Optional.empty(),
                TemplateRules.NONE,
                2,
                List.of());
    }
}
