package podvm.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import podvm.engine.PodException;
import podvm.machine.qemu.BareMachine;
import podvm.machine.qemu.QemuOptions;

/**
 * A machine with the devices, kernel and drivers of a pod's, whose process 1 runs {@code inside.sh}
 * from the pod's layer disk as a plain process.
 */
record BareGuest(QemuOptions options, Path layer) {
    private static final int MINUTES = 5;

    /**
     * @param busybox a static one
     * @param port of the host, that takes what the guest sends
     */
    static BareGuest make(Place place, Path scratch, Path busybox, Path layer, int port)
            throws Exception {
        var initramfs = scratch.resolve("bare-guest.cpio");
        Files.copy(place.guest().resolve("initramfs.cpio"), initramfs);
        var script = Inside.resource("bare.sh").replace("PORT", Integer.toString(port));
        try (var out = Files.newOutputStream(initramfs, StandardOpenOption.APPEND)) {
            var cpio = new Cpio(out);
            cpio.directory("bin");
            cpio.program("bin/busybox", Files.readAllBytes(busybox));
            cpio.program("init", script.getBytes(StandardCharsets.UTF_8));
            cpio.end();
        }
        return new BareGuest(place.bareOptions(scratch, initramfs), layer);
    }

    Inside run() throws IOException, InterruptedException, PodException {
        var words = new ArrayList<>(BareMachine.command(options, Place.size()));
        words.addAll(
                List.of(
                        "-device",
                        "virtio-scsi-device,id=scsi0",
                        "-blockdev",
                        "driver=file,node-name=root,filename=" + layer + ",read-only=on",
                        "-device",
                        "scsi-hd,bus=scsi0.0,scsi-id=0,drive=root",
                        "-netdev",
                        "user,id=net0",
                        "-device",
                        "virtio-net-device,netdev=net0"));
        var process = new ProcessBuilder(words).redirectErrorStream(true).start();
        try {
            var console =
                    new BufferedReader(
                            new InputStreamReader(
                                    process.getInputStream(), StandardCharsets.UTF_8));
            var inside = Inside.read(console.lines());
            if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
                throw new IOException("the bare guest does not switch off");
            }
            return inside;
        } finally {
            process.destroyForcibly().waitFor();
        }
    }
}
