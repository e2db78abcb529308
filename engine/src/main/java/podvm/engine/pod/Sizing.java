package podvm.engine.pod;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import podvm.engine.ContainerSpec;
import podvm.engine.ContainerSpec.Resources;
import podvm.engine.HugepageSizes;
import podvm.engine.MachineSize;
import podvm.engine.PodSpec;
import podvm.engine.SandboxSpec;

/**
 * How large a pod's machine is.
 *
 * <p>For CPU and for memory alike: the limits of the containers that have one, plus one share of
 * the default where at least one has none. Init containers run before the others and alone, so the
 * largest of them counts, if it is larger than all others together. Memory gets the guest's own
 * need on top, and large pages, which are reserved; CPU is rounded up to whole vCPUs.
 */
final class Sizing {
    /** So that a machine's memory ends on a large page. */
    private static final int STEP_MIB = 2;

    private static final long MIB = 1024L * 1024;

    private Sizing() {}

    static MachineSize of(PodSpec pod, EngineSettings settings) {
        long millis = need(pod, Resources::cpuLimit, settings.defaultCpuMillis());
        long bytes = need(pod, Resources::memoryLimit, settings.defaultMemoryMib() * MIB);
        return of(millis, bytes + HugepageSizes.total(hugepages(pod)), settings);
    }

    /** What is reserved for a pod's containers, by the size's name. */
    static Map<String, Long> hugepages(PodSpec pod) {
        var together =
                HugepageSizes.sum(
                        pod.containers().stream().map(one -> one.resources().hugepages()).toList());
        for (var init : pod.initContainers()) {
            together =
                    HugepageSizes.larger(
                            together, HugepageSizes.sum(List.of(init.resources().hugepages())));
        }
        return together;
    }

    /**
     * A kubelet tells the sum of the limits that are there, not whether some are missing: so the
     * default is the least.
     */
    static MachineSize of(SandboxSpec.Limits limits, EngineSettings settings) {
        long millis = Math.max(limits.cpuMillis().orElse(0L), settings.defaultCpuMillis());
        long defaultBytes = settings.defaultMemoryMib() * MIB;
        long bytes =
                Math.max(limits.memoryBytes().orElse(0L), defaultBytes)
                        + limits.overheadBytes()
                        + HugepageSizes.total(limits.hugepages());
        return of(millis, bytes, settings);
    }

    /** What is empty has no limit. */
    static MachineSize of(
            Optional<Long> cpuMillis, Optional<Long> memoryBytes, EngineSettings settings) {
        return of(
                cpuMillis.orElse((long) settings.defaultCpuMillis()),
                memoryBytes.orElse(settings.defaultMemoryMib() * MIB),
                settings);
    }

    private static MachineSize of(long millis, long bytes, EngineSettings settings) {
        long mib = Math.ceilDiv(bytes, MIB) + settings.overheadMib();
        return new MachineSize(
                Math.clamp(Math.ceilDiv(millis, 1000L), 1, Integer.MAX_VALUE),
                Math.toIntExact(
                        Math.min(Integer.MAX_VALUE - 1, Math.ceilDiv(mib, STEP_MIB) * STEP_MIB)));
    }

    private static long need(
            PodSpec pod, Function<Resources, Optional<Long>> limit, long whereNone) {
        long together = sum(pod.containers(), limit, whereNone);
        long largestInit =
                pod.initContainers().stream()
                        .mapToLong(one -> sum(List.of(one), limit, whereNone))
                        .max()
                        .orElse(0);
        return Math.max(together, largestInit);
    }

    private static long sum(
            List<ContainerSpec> containers,
            Function<Resources, Optional<Long>> limit,
            long whereNone) {
        long sum = 0;
        boolean someHasNone = false;
        for (var container : containers) {
            var own = limit.apply(container.resources());
            sum += own.orElse(0L);
            someHasNone |= own.isEmpty();
        }
        return someHasNone ? sum + whereNone : sum;
    }
}
