package podvm.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import podvm.engine.GuestAddress;

/** A real machine with the real agent, as plain as can be. */
final class QemuGuest implements AutoCloseable {
    private final Path directory;
    private final Process vmm;

    private QemuGuest(Path directory, Process vmm) {
        this.directory = directory;
        this.vmm = vmm;
    }

    /** The directory with vmlinux and initramfs.cpio, where one is given. */
    static Optional<Path> files() {
        return Optional.ofNullable(System.getenv("PODVM_GUEST")).map(Path::of);
    }

    /**
     * @param layer an EROFS image, which gets the serial "layer"
     */
    static QemuGuest boot(Path files, Path directory, Path layer) throws IOException {
        var command = new ArrayList<String>();
        // nothing here may outlive its test by more than a moment, whatever happens to the test
        command.addAll(List.of("timeout", "--signal=KILL", "300", "qemu-system-x86_64"));
        command.addAll(List.of("-M", "microvm,acpi=on", "-accel", "tcg,tb-size=64", "-cpu", "max"));
        command.addAll(List.of("-m", "512", "-smp", "1", "-nodefaults", "-no-user-config"));
        command.addAll(List.of("-display", "none", "-no-reboot"));
        command.addAll(List.of("-global", "virtio-mmio.force-legacy=false"));
        command.addAll(List.of("-kernel", files.resolve("vmlinux").toString()));
        command.addAll(List.of("-initrd", files.resolve("initramfs.cpio").toString()));
        command.addAll(
                List.of(
                        "-append",
                        "console=ttyS0 quiet reboot=t panic=-1 tsc_early_khz=" + kiloHertz()));
        command.addAll(List.of("-serial", "file:" + directory.resolve("console.log")));
        command.addAll(List.of("-device", "virtio-serial-device"));
        command.addAll(
                List.of(
                        "-chardev",
                        "socket,id=agent,server=on,wait=off,path=" + directory.resolve("a.sock")));
        command.addAll(List.of("-device", "virtserialport,chardev=agent,name=podvm.agent"));
        command.addAll(List.of("-device", "virtio-scsi-device"));
        command.addAll(
                List.of(
                        "-blockdev",
                        "driver=raw,node-name=layer,read-only=on,file.driver=file,"
                                + "file.locking=off,file.filename="
                                + layer));
        command.addAll(List.of("-device", "scsi-hd,drive=layer,serial=layer"));
        var vmm =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("qemu.log").toFile())
                        .start();
        return new QemuGuest(directory, vmm);
    }

    GuestAddress address() {
        return new GuestAddress.Serial(directory.resolve("a.sock"));
    }

    String console() throws IOException {
        var log = directory.resolve("console.log");
        return Files.exists(log) ? Files.readString(log) : "";
    }

    boolean awaitEnd(Duration most) throws InterruptedException {
        return vmm.waitFor(most.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Spares the calibration of the clock, which hangs on a busy host. */
    private static long kiloHertz() throws IOException {
        return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                .filter(line -> line.startsWith("bogomips"))
                .map(line -> Double.parseDouble(line.substring(line.indexOf(':') + 1)))
                .map(bogomips -> Math.round(bogomips * 500))
                .findFirst()
                .orElse(2_000_000L);
    }

    @Override
    public void close() {
        vmm.descendants().forEach(ProcessHandle::destroyForcibly);
        vmm.destroyForcibly();
    }
}
