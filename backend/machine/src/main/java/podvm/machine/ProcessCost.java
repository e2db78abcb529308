package podvm.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import podvm.engine.MachineCost;

/** What the kernel counts for a process of the node, as proc(5) tells it. */
public final class ProcessCost {
    /** USER_HZ, which is 100 in every Linux that programs see. */
    private static final long NANOS_PER_TICK = TimeUnit.SECONDS.toNanos(1) / 100;

    private static final long KIB = 1024;
    private static final long PAGE = 4096;

    private ProcessCost() {}

    /**
     * Empty where it has ended. Its share of memory can be looked at by who could debug it; others
     * are told what its cgroup is charged with, or all that it has in RAM.
     */
    public static Optional<MachineCost> of(long pid, Supplier<OptionalLong> charged) {
        var proc = Path.of("/proc", Long.toString(pid));
        try {
            var stat = Files.readString(proc.resolve("stat"));
            return ended(stat) ? Optional.empty() : Optional.of(of(pid, proc, stat, charged));
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    private static boolean ended(String stat) {
        return fields(stat)[0].equals("Z");
    }

    private static MachineCost of(
            long pid, Path proc, String stat, Supplier<OptionalLong> charged) {
        try {
            return read(pid, stat, Files.readString(proc.resolve("smaps_rollup")));
        } catch (IOException _) {
            return withoutShare(pid, stat, charged.get());
        }
    }

    /**
     * @param stat the name in it, in parentheses, may hold blanks and parentheses itself
     */
    static MachineCost read(long pid, String stat, String smapsRollup) {
        return cost(pid, fields(stat), bytes(smapsRollup, "Rss:"), bytes(smapsRollup, "Pss:"));
    }

    static MachineCost withoutShare(long pid, String stat, OptionalLong charged) {
        var fields = fields(stat);
        // rss is field 24, in pages
        long rss = Long.parseLong(fields[24 - 3]) * PAGE;
        return cost(pid, fields, rss, charged.orElse(rss));
    }

    /** From the third on, which is the first behind the name. */
    private static String[] fields(String stat) {
        return stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    }

    private static MachineCost cost(long pid, String[] fields, long rss, long pss) {
        // utime is field 14, stime 15, num_threads 20
        long ticks = Long.parseLong(fields[14 - 3]) + Long.parseLong(fields[15 - 3]);
        return new MachineCost(
                pid, ticks * NANOS_PER_TICK, rss, pss, Long.parseLong(fields[20 - 3]));
    }

    private static long bytes(String smapsRollup, String key) {
        return smapsRollup
                .lines()
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(key.length()).replace("kB", "").strip())
                .mapToLong(kib -> Long.parseLong(kib) * KIB)
                .findFirst()
                .orElse(0);
    }
}
