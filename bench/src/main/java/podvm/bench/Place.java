package podvm.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.machine.VmmUser;
import podvm.machine.qemu.AcceleratorProbe;
import podvm.machine.qemu.QemuOptions;
import podvm.machine.qemu.QemuPrerequisites;
import podvm.machine.qemu.TemplateRules;

/**
 * Where the things to measure are.
 *
 * @param home the built distribution
 * @param guest kernel and initramfs images
 * @param busybox a root file system tar with a shell
 */
record Place(Path home, Path java, Path guest, Path busybox, Path binary) {
    static Place find() {
        var cache = cache();
        return new Place(
                Path.of(System.getProperty("podvm.home")),
                Path.of(System.getProperty("podvm.java")),
                cache.resolve("guest/current"),
                cache.resolve("busybox/rootfs.tar"),
                QemuPrerequisites.findBinary().orElseThrow());
    }

    /** Where what was made once is kept, as setup keeps it. */
    static Path cache() {
        var env = System.getenv();
        return Optional.ofNullable(env.get("PODVM_CACHE"))
                .map(Path::of)
                .orElseGet(() ->
                        Optional.ofNullable(env.get("XDG_CACHE_HOME"))
                                .map(Path::of)
                                .orElse(Path.of(env.getOrDefault("HOME", "/"), ".cache"))
                                .resolve("podvm"));
    }

    /** QEMU as the daemon would run it, with the bare initramfs. */
    QemuOptions bareOptions(Path scratch) throws PodException, InterruptedException, IOException {
        return bareOptions(scratch, guest.resolve("bare.cpio"));
    }

    QemuOptions bareOptions(Path scratch, Path initramfs)
            throws PodException, InterruptedException, IOException {
        var probe =
                new AcceleratorProbe(
                        binary,
                        guest.resolve("vmlinux"),
                        guest.resolve("bare.cpio"),
                        Files.createDirectories(scratch.resolve("probe")),
                        Optional.empty());
        return new QemuOptions(
                binary,
                guest.resolve("vmlinux"),
                initramfs,
                probe.verdict().accelerator(),
                scratch,
                Optional.<VmmUser>empty(),
                TemplateRules.NONE,
                1,
                List.of());
    }

    /** What a pod without limits gets. */
    static MachineSize size() {
        return new MachineSize(1, 1024 + 128);
    }
}
