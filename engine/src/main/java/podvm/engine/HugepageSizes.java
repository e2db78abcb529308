package podvm.engine;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Sizes of large pages by the names that a kubelet and the kernel's cgroups have for them. Those of
 * other architectures are not among them.
 */
public final class HugepageSizes {
    private static final Map<String, Long> BYTES = Map.of("2MB", 2L << 20, "1GB", 1L << 30);

    private HugepageSizes() {}

    /** Empty where a machine never has such pages. */
    public static Optional<Long> bytes(String name) {
        return Optional.ofNullable(BYTES.get(name));
    }

    /** Empty where a machine never has such pages. */
    public static Optional<String> name(long bytes) {
        return BYTES.entrySet().stream()
                .filter(one -> one.getValue() == bytes)
                .map(Map.Entry::getKey)
                .findFirst();
    }

    /** Limits by name added up; those that are nothing are left out. */
    public static Map<String, Long> sum(Iterable<Map<String, Long>> limits) {
        var sum = new TreeMap<String, Long>();
        for (var one : limits) {
            one.forEach((name, bytes) -> {
                if (bytes > 0) {
                    sum.merge(name, bytes, Long::sum);
                }
            });
        }
        return sum;
    }

    /** For each size the larger one. */
    public static Map<String, Long> larger(Map<String, Long> one, Map<String, Long> other) {
        var result = new TreeMap<>(one);
        other.forEach((name, bytes) -> result.merge(name, bytes, Math::max));
        return result;
    }

    public static long total(Map<String, Long> limits) {
        return limits.values().stream().mapToLong(bytes -> Math.max(0, bytes)).sum();
    }
}
