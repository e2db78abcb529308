package podvm.machine.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * The guest kernel's arguments. The gains are medians of ten pairs of alternating boots to the
 * first program, CPU time of QEMU under TCG, Debian's cloud kernel 6.1. Without gain (less than 3
 * %, the spread of two equal lines) and therefore not here: pci=off, 8250.nr_uarts, no_timer_check,
 * lsm=, random.trust_cpu, no5lvl, raid and i8042 switches.
 */
final class KernelCommandLine {
    private KernelCommandLine() {}

    static String of(Accelerator accelerator, List<String> more) throws PodException {
        var words =
                new ArrayList<>(
                        List.of(
                                "console=ttyS0",
                                // 7 %: the serial port takes a VM exit per character
                                "quiet",
                                // a panic and a reboot end the VMM, which runs with -no-reboot
                                "reboot=t",
                                "panic=-1",
                                // 15 %
                                "cryptomgr.notests"));
        if (accelerator == Accelerator.TCG) {
            // without it the kernel calibrates the TSC against timers that a busy host delays, and
            // may never end
            words.add("tsc_early_khz=" + hostTscKhz());
        }
        words.addAll(more);
        return String.join(" ", words);
    }

    /** BogoMIPS are two per cycle of the TSC, in millions. */
    private static long hostTscKhz() throws PodException {
        var cpuinfo = Path.of("/proc/cpuinfo");
        try (var lines = Files.lines(cpuinfo)) {
            return lines.filter(line -> line.startsWith("bogomips"))
                    .map(line -> Double.parseDouble(line.substring(line.indexOf(':') + 1).strip()))
                    .map(bogomips -> (long) (bogomips * 500))
                    .findFirst()
                    .orElseThrow(() ->
                            new PodException(
                                    Kind.UNSUPPORTED,
                                    cpuinfo + " has no line bogomips",
                                    "this version runs on x86_64 hosts"));
        } catch (IOException e) {
            throw new PodException(Kind.UNAVAILABLE, "cannot read " + cpuinfo + ": " + e, "", e);
        }
    }
}
