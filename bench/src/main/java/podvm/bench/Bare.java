package podvm.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import podvm.engine.PodException;
import podvm.machine.qemu.BareMachine;
import podvm.machine.qemu.QemuOptions;
import podvm.machine.qemu.TemplateRules;

/** The control: the VMM and kernel of a pod with a process 1 that writes one line. */
record Bare(Process process, double millisToLine, double cpuMillisToLine) {
    private static final String LINE = "podvm-bare";

    static Bare boot(QemuOptions options) throws IOException, PodException {
        var command = new ProcessBuilder(BareMachine.command(options, Place.size()));
        command.redirectError(ProcessBuilder.Redirect.INHERIT);
        long began = System.nanoTime();
        var process = command.start();
        var console =
                new BufferedReader(
                        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        for (var line = console.readLine(); line != null; line = console.readLine()) {
            if (line.contains(LINE)) {
                return new Bare(
                        process,
                        (System.nanoTime() - began) / 1e6,
                        ProcStat.cpuMillis(process.pid()));
            }
        }
        throw new IOException("the bare machine ended without its line");
    }

    /** A bare machine that stays. */
    static QemuOptions staying(QemuOptions options) {
        return new QemuOptions(
                options.binary(),
                options.kernel(),
                options.initramfs(),
                options.accelerator(),
                options.runDirectory(),
                options.user(),
                TemplateRules.NONE,
                1,
                List.of("--", "wait"));
    }

    void end() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }
}
