package podvm.machine.qemu;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import podvm.engine.Finding;
import podvm.engine.Finding.State;
import podvm.engine.PodException;
import podvm.linux.User;

/** What must be on the node for QEMU machines. */
public final class QemuPrerequisites {
    /** A file without which no machine boots. */
    record Needed(String name, Path file, String remedy) {}

    private static final String INSTALL =
            "install qemu-system-x86 (Debian, Ubuntu) or qemu-kvm-core (Fedora, RHEL)";
    private static final Pattern VERSION = Pattern.compile("version (\\d+)\\.(\\d+)[^ ]*");
    private static final int OLDEST = 7;

    private QemuPrerequisites() {}

    /** QEMU on the path, or where Fedora and RHEL keep it. */
    public static Optional<Path> findBinary() {
        var candidates = new ArrayList<Path>();
        var path = System.getenv("PATH");
        for (var directory : (path == null ? "/usr/bin" : path).split(File.pathSeparator)) {
            candidates.add(Path.of(directory, "qemu-system-x86_64"));
        }
        candidates.add(Path.of("/usr/libexec/qemu-kvm"));
        return candidates.stream().filter(Files::isExecutable).findFirst();
    }

    static List<Needed> files(QemuOptions options) {
        return List.of(
                new Needed("QEMU", options.binary(), INSTALL),
                new Needed("the guest kernel", options.kernel(), "build or configure one"),
                new Needed("the guest initramfs", options.initramfs(), "build or configure one"));
    }

    /** Looks at everything, in the order in which it should be mended. */
    public static List<Finding> check(Path kernel, Path initramfs, AcceleratorProbe probe)
            throws InterruptedException {
        var findings = new ArrayList<Finding>();
        findings.add(qemu());
        findings.add(file("guest kernel", kernel));
        findings.add(file("guest initramfs", initramfs));
        if (User.isRoot()) {
            findings.add(setpriv());
        }
        if (findings.stream().noneMatch(finding -> finding.state() == State.MISSING)) {
            findings.add(accelerator(probe));
        }
        return findings;
    }

    private static Finding qemu() throws InterruptedException {
        var binary = findBinary();
        if (binary.isEmpty()) {
            return new Finding("QEMU", State.MISSING, "", "no qemu-system-x86_64", INSTALL);
        }
        var file = binary.get().toString();
        var version = VERSION.matcher(run(file, "-version"));
        if (!version.find()) {
            return new Finding("QEMU", State.MISSING, "", file + " does not run", INSTALL);
        }
        var number = version.group().substring("version ".length());
        return Integer.parseInt(version.group(1)) < OLDEST
                ? new Finding("QEMU", State.MISSING, number, file, "use QEMU 7.0 or newer")
                : new Finding("QEMU", State.OK, number, file, "");
    }

    private static Finding file(String name, Path file) {
        return Files.isReadable(file)
                ? new Finding(name, State.OK, "", file.toString(), "")
                : new Finding(
                        name, State.MISSING, "", "no " + file, "build the guest or configure one");
    }

    private static Finding setpriv() {
        return Files.isExecutable(Path.of("/usr/bin/setpriv"))
                ? new Finding("setpriv", State.OK, "", "runs QEMU without root", "")
                : new Finding("setpriv", State.MISSING, "", "no setpriv", "install util-linux");
    }

    private static Finding accelerator(AcceleratorProbe probe) throws InterruptedException {
        try {
            var verdict = probe.verdict();
            return switch (verdict.accelerator()) {
                case KVM -> new Finding("KVM", State.OK, "", verdict.reason(), "");
                case TCG ->
                        new Finding(
                                "KVM",
                                State.WARNING,
                                "",
                                verdict.reason() + "; machines run emulated, ten times slower",
                                verdict.remedy());
            };
        } catch (PodException e) {
            return new Finding("KVM", State.WARNING, "", e.getMessage(), e.remedy());
        }
    }

    /** Output of a short command; empty when it does not run. */
    private static String run(String... command) throws InterruptedException {
        try {
            var process = new ProcessBuilder(command).redirectErrorStream(true).start();
            try (var output = process.getInputStream()) {
                var text = new String(output.readNBytes(4096), StandardCharsets.UTF_8);
                return process.waitFor(5, TimeUnit.SECONDS) ? text : "";
            } finally {
                process.destroyForcibly();
            }
        } catch (IOException _) {
            return "";
        }
    }
}
