package podvm.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What /proc says of a process: proc(5). */
final class ProcStat {
    private static final int UTIME = 13;
    private static final int STIME = 14;
    private static final double MILLIS_PER_TICK = 10;

    private ProcStat() {}

    /** User and system time so far, in milliseconds, children not included. */
    static double cpuMillis(long pid) throws IOException {
        var stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
        // the second field is a name in parentheses that may hold blanks
        var fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(fields[UTIME - 2]) + Long.parseLong(fields[STIME - 2]))
                * MILLIS_PER_TICK;
    }

    /** Proportional set size: shared pages count by their share. */
    static double pssKib(long pid) throws IOException {
        return field(Path.of("/proc", Long.toString(pid), "smaps_rollup"), "Pss:");
    }

    static double rssKib(long pid) throws IOException {
        return field(Path.of("/proc", Long.toString(pid), "status"), "VmRSS:");
    }

    /** The most that was resident at one time. */
    static double peakRssKib(long pid) throws IOException {
        return field(Path.of("/proc", Long.toString(pid), "status"), "VmHWM:");
    }

    private static double field(Path file, String name) throws IOException {
        for (var line : Files.readAllLines(file)) {
            if (line.startsWith(name)) {
                return Double.parseDouble(line.substring(name.length()).replace("kB", "").strip());
            }
        }
        throw new IOException(file + " has no " + name);
    }
}
