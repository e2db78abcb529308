package podvm.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** What this node has for machines. */
public record HostCapacity(int cpus, long totalMib, long availableMib) {
    public static HostCapacity now() throws PodException {
        try {
            var lines = Files.readAllLines(Path.of("/proc/meminfo"));
            return new HostCapacity(
                    Runtime.getRuntime().availableProcessors(),
                    mib(lines, "MemTotal:"),
                    mib(lines, "MemAvailable:"));
        } catch (IOException e) {
            throw new PodException(Kind.UNAVAILABLE, "cannot read /proc/meminfo: " + e, "", e);
        }
    }

    /** INVALID for what can never run here, EXHAUSTED for what cannot run now. */
    public void check(MachineSize size) throws PodException {
        if (size.vcpus() < 1 || size.memoryMib() < 1) {
            throw new PodException(
                    Kind.INVALID, "a machine needs a CPU and memory: " + size, "ask for more");
        }
        if (size.vcpus() > cpus) {
            throw new PodException(
                    Kind.INVALID,
                    "the pod asks for " + size.vcpus() + " CPUs, this node has " + cpus,
                    "ask for at most " + cpus);
        }
        if (size.memoryMib() > totalMib) {
            throw new PodException(
                    Kind.INVALID,
                    "the pod asks for " + size.memoryMib() + " MiB, this node has " + totalMib,
                    "ask for less memory");
        }
        if (size.memoryMib() > availableMib) {
            throw new PodException(
                    Kind.EXHAUSTED,
                    "the pod asks for "
                            + size.memoryMib()
                            + " MiB, of this node's "
                            + totalMib
                            + " MiB "
                            + availableMib
                            + " are available now",
                    "end other pods or ask for less memory");
        }
    }

    private static long mib(List<String> lines, String key) throws PodException {
        for (var line : lines) {
            if (line.startsWith(key)) {
                return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
            }
        }
        throw new PodException(Kind.UNAVAILABLE, "/proc/meminfo has no line " + key, "");
    }
}
