package podvm.machine.qemu;

import java.nio.file.Path;
import java.util.List;

/** What must be on the node for QEMU machines. */
public final class QemuPrerequisites {
    /** A file without which no machine boots. */
    record Needed(String name, Path file, String remedy) {}

    private QemuPrerequisites() {}

    static List<Needed> files(QemuOptions options) {
        return List.of(
                new Needed("QEMU", options.binary(), "install qemu-system-x86 (Debian, Ubuntu)"),
                new Needed("the guest kernel", options.kernel(), "build it, or name another"),
                new Needed("the guest's initramfs", options.initramfs(), "build it, or name one"));
    }
}
