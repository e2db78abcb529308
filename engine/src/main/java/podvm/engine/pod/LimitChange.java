package podvm.engine.pod;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import podvm.engine.ContainerConfig.Resources;
import podvm.engine.GuestResources.Setting;
import podvm.engine.HugepageSizes;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** What a change of a running container's resources comes to. */
final class LimitChange {
    private static final long DEFAULT_PERIOD = 100_000;
    private static final long MIB = 1L << 20;

    private LimitChange() {}

    /** What is 0 or empty in the change stays as it was. */
    static Resources merge(Resources before, Resources change) {
        var hugepages = new HashMap<>(before.hugepageLimits());
        hugepages.putAll(change.hugepageLimits());
        var unified = new HashMap<>(before.unified());
        unified.putAll(change.unified());
        return new Resources(
                or(change.cpuPeriodMicros(), before.cpuPeriodMicros()),
                or(change.cpuQuotaMicros(), before.cpuQuotaMicros()),
                or(change.cpuShares(), before.cpuShares()),
                or(change.memoryBytes(), before.memoryBytes()),
                or(change.swapBytes(), before.swapBytes()),
                change.oomScoreAdj() == 0 ? before.oomScoreAdj() : change.oomScoreAdj(),
                change.cpusetCpus().isEmpty() ? before.cpusetCpus() : change.cpusetCpus(),
                change.cpusetMems().isEmpty() ? before.cpusetMems() : change.cpusetMems(),
                hugepages,
                unified);
    }

    private static long or(long change, long before) {
        return change == 0 ? before : change;
    }

    /**
     * The cgroup's files for what a change names.
     *
     * @param whole what is in force after the change: a quota and its period are one file
     */
    static List<Setting> settings(Resources change, Resources whole) {
        var settings = new ArrayList<Setting>();
        if (change.cpuQuotaMicros() != 0 || change.cpuPeriodMicros() != 0) {
            var period = period(whole);
            var quota = whole.cpuQuotaMicros() > 0 ? Long.toString(whole.cpuQuotaMicros()) : "max";
            settings.add(new Setting("cpu.max", quota + " " + period));
        }
        if (change.cpuShares() > 0) {
            var weight = CpuWeight.ofShares(change.cpuShares());
            settings.add(new Setting("cpu.weight", Integer.toString(weight)));
        }
        if (change.memoryBytes() != 0) {
            settings.add(
                    new Setting(
                            "memory.max",
                            change.memoryBytes() > 0
                                    ? Long.toString(change.memoryBytes())
                                    : "max"));
        }
        settings.addAll(hugepages(change.hugepageLimits()));
        for (var file : List.of("memory.min", "pids.max")) {
            var value = change.unified().get(file);
            if (value != null) {
                settings.add(new Setting(file, value));
            }
        }
        return settings;
    }

    private static List<Setting> hugepages(Map<String, Long> limits) {
        return limits.entrySet().stream()
                .filter(one -> HugepageSizes.bytes(one.getKey()).isPresent())
                .flatMap(one ->
                        // a program that maps more than it may is told so then, not killed later
                        Stream.of("rsvd.max", "max")
                                .map(file ->
                                        new Setting(
                                                "hugetlb." + one.getKey() + "." + file,
                                                Long.toString(one.getValue()))))
                .toList();
    }

    /**
     * Fails with UNSUPPORTED where a machine that runs cannot become large enough for what changes:
     * a limit that it was started with is not asked about again.
     */
    static void check(String what, Resources before, Resources after, MachineSize most)
            throws PodException {
        long period = period(after);
        boolean sameCpu =
                after.cpuQuotaMicros() == before.cpuQuotaMicros() && period == period(before);
        if (!sameCpu && after.cpuQuotaMicros() > most.vcpus() * period) {
            throw tooSmall(what, "the CPU limit", most.vcpus() + " vCPUs");
        }
        boolean sameMemory = after.memoryBytes() == before.memoryBytes();
        if (!sameMemory && after.memoryBytes() > most.memoryMib() * MIB) {
            throw tooSmall(what, "the memory limit", most.memoryMib() + " MiB");
        }
    }

    /** Thousandths of a CPU, rounded up; 0: not limited. */
    static long cpuMillis(Resources resources) {
        long quota = Math.max(0, resources.cpuQuotaMicros());
        return Math.ceilDiv(quota * 1000, period(resources));
    }

    /** Whether it changes what a machine must have. */
    static boolean ofSize(Resources change) {
        return change.cpuQuotaMicros() != 0
                || change.cpuPeriodMicros() != 0
                || change.memoryBytes() != 0
                || !change.hugepageLimits().isEmpty();
    }

    private static long period(Resources resources) {
        return resources.cpuPeriodMicros() > 0 ? resources.cpuPeriodMicros() : DEFAULT_PERIOD;
    }

    private static PodException tooSmall(String what, String limit, String has) {
        return new PodException(
                Kind.UNSUPPORTED,
                limit
                        + " of "
                        + what
                        + " cannot be raised so far: its machine can have at most "
                        + has,
                "machine.growth says how far machines can grow; start the pod anew");
    }
}
