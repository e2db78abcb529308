package podvm.machine.qemu;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import podvm.machine.VmmUser;

/**
 * How this node runs QEMU.
 *
 * @param kernel an uncompressed vmlinux
 * @param runDirectory of the daemon; machines have their sockets and logs in pods/ below it
 * @param user whom the VMM runs as; empty: as the daemon
 * @param growth how many times as large as it was booted a machine may become; 1: it keeps its size
 * @param kernelArguments added to the kernel's command line
 */
public record QemuOptions(
        Path binary,
        Path kernel,
        Path initramfs,
        Accelerator accelerator,
        Path runDirectory,
        Optional<VmmUser> user,
        TemplateRules templates,
        int growth,
        List<String> kernelArguments) {}
