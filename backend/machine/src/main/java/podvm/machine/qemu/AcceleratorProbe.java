package podvm.machine.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import podvm.engine.Deadline;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.linux.Command;
import podvm.linux.Descriptor;
import podvm.linux.HostProcess;
import podvm.machine.LogTail;
import podvm.machine.VmmUser;

/**
 * Chooses the accelerator by booting a bare guest with KVM and watching what it does. That /dev/kvm
 * exists says little: there are hosts whose KVM starts an ordinary kernel and then hangs it. The
 * verdict is kept for as long as the host runs, QEMU and the kernel being the same.
 *
 * @param bare an initramfs that writes "podvm-bare" and powers off
 * @param cache a directory for the verdict
 * @param user whom machines will run as: KVM must be open to them
 */
public record AcceleratorProbe(
        Path binary, Path kernel, Path bare, Path cache, Optional<VmmUser> user, KvmDevice device) {
    private static final String LINE = "podvm-bare";
    private static final Duration BOOT = Duration.ofSeconds(5);
    private static final Duration DEATH = Duration.ofSeconds(10);
    private static final int LINES = 20;
    private static final MachineSize SIZE = new MachineSize(1, 128);
    private static final Path DEVICE = Path.of("/dev/kvm");

    /** How QEMU tells that it may not open the device (accel/kvm/kvm-all.c). */
    private static final String DENIED = "Could not access KVM kernel module: Permission denied";

    private static final Path HOST_BOOT = Path.of("/proc/sys/kernel/random/boot_id");

    /**
     * @param reason in words, e.g. why not KVM
     * @param remedy what makes it KVM; empty where nothing need be done
     */
    public record Verdict(Accelerator accelerator, String reason, String remedy) {
        public Verdict(Accelerator accelerator, String reason) {
            this(accelerator, reason, "");
        }

        static Verdict tcg(String reason, String remedy) {
            return new Verdict(Accelerator.TCG, reason, remedy);
        }
    }

    public AcceleratorProbe(
            Path binary, Path kernel, Path bare, Path cache, Optional<VmmUser> user) {
        this(binary, kernel, bare, cache, user, new KvmDevice(DEVICE));
    }

    /** Takes up to some five seconds where nothing is known yet. */
    public Verdict verdict() throws PodException, InterruptedException {
        var key = key();
        var known = remembered(key);
        if (known.isPresent()) {
            return known.get();
        }
        var verdict = device.exists() ? boot() : device.absent();
        remember(key, verdict);
        return verdict;
    }

    private Verdict boot() throws PodException, InterruptedException {
        try (var directory = ProbeDirectory.create(cache)) {
            return boot(directory.console(), directory.path());
        } catch (IOException e) {
            throw new PodException(
                    Kind.UNAVAILABLE,
                    "cannot prepare a probe boot in " + cache + ": " + e,
                    "see whether the directory can be written",
                    e);
        }
    }

    private Verdict boot(Path console, Path directory)
            throws PodException, InterruptedException, IOException {
        try (var output = Descriptor.append(console);
                var kernelFile = Descriptor.readOnly(kernel);
                var bareFile = Descriptor.readOnly(bare);
                var process =
                        new Command(
                                        command(),
                                        List.of("PATH=/usr/bin:/bin", "LANG=C"),
                                        directory,
                                        output,
                                        List.of(kernelFile, bareFile))
                                .start()) {
            try {
                return watch(process, console);
            } finally {
                // a VMM whose KVM hangs heeds nothing else
                process.kill(DEATH);
            }
        }
    }

    private List<String> command() throws PodException {
        var options =
                new QemuOptions(
                        binary,
                        Path.of("/dev/fd/" + Command.FIRST_INHERITED),
                        Path.of("/dev/fd/" + (Command.FIRST_INHERITED + 1)),
                        Accelerator.KVM,
                        cache,
                        user,
                        TemplateRules.NONE,
                        1,
                        List.of());
        var line = MicrovmArguments.probe(options, SIZE);
        return user.isPresent() ? user.get().run(line) : line;
    }

    private Verdict watch(HostProcess process, Path console)
            throws PodException, InterruptedException, IOException {
        var deadline = Deadline.after(BOOT);
        while (!deadline.passed()) {
            var ended = !process.alive();
            if (Files.readString(console).contains(LINE)) {
                return new Verdict(Accelerator.KVM, "a probe boot with KVM reached its program");
            }
            if (ended) {
                var last = LogTail.of(console, 1);
                return LogTail.of(console, LINES).contains(DENIED)
                        ? device.denied(user)
                        : device.broken("ended early" + (last.isEmpty() ? "" : ": " + last));
            }
            Thread.sleep(10);
        }
        var last = LogTail.of(console, 1);
        return device.broken(
                (last.isEmpty() ? "printed nothing" : "came no further than: " + last)
                        + " in "
                        + BOOT.toSeconds()
                        + " s");
    }

    /** One line that differs when anything differs on which the verdict depends. */
    private String key() throws PodException {
        try {
            return String.join(
                    " ",
                    Files.readString(HOST_BOOT).strip(),
                    identity(binary),
                    identity(kernel),
                    identity(bare),
                    device.identity(),
                    user.map(VmmUser::toString).orElse("daemon's user"));
        } catch (IOException e) {
            throw new PodException(
                    Kind.NOT_FOUND, "cannot probe for KVM: " + e, "see podvm doctor", e);
        }
    }

    private static String identity(Path file) throws IOException {
        var real = file.toRealPath();
        return real + ":" + Files.size(real) + ":" + Files.getLastModifiedTime(real).toMillis();
    }

    private Path file() {
        return cache.resolve("accelerator");
    }

    private Optional<Verdict> remembered(String key) {
        try {
            var lines = Files.readAllLines(file());
            if (lines.size() != 4 || !lines.get(0).equals(key)) {
                return Optional.empty();
            }
            return Optional.of(
                    new Verdict(Accelerator.valueOf(lines.get(1)), lines.get(2), lines.get(3)));
        } catch (IOException | IllegalArgumentException _) {
            // unknown or garbled: probed anew
            return Optional.empty();
        }
    }

    private void remember(String key, Verdict verdict) throws PodException {
        try {
            Files.createDirectories(cache);
            var temporary = Files.createTempFile(cache, "accelerator", ".new");
            Files.writeString(
                    temporary,
                    String.join(
                                    "\n",
                                    key,
                                    verdict.accelerator().name(),
                                    verdict.reason(),
                                    verdict.remedy())
                            + "\n");
            Files.move(temporary, file(), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new PodException(
                    Kind.UNAVAILABLE,
                    "cannot keep the accelerator's verdict in " + cache + ": " + e,
                    "check its owner, its permissions and the space left",
                    e);
        }
    }
}
