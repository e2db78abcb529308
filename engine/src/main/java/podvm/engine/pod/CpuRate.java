package podvm.engine.pod;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How fast a count of CPU time grows. Several callers may ask, each in its own rhythm: a
 * measurement that comes soon after another is answered with the rate that was known before, since
 * a short time tells little.
 */
final class CpuRate {
    private static final long SHORTEST = TimeUnit.MILLISECONDS.toNanos(500);
    private static final double SECOND = TimeUnit.SECONDS.toNanos(1);

    private @Nullable Sample base;
    private Optional<Long> rate = Optional.empty();

    private record Sample(long at, long cpuNanos) {}

    /**
     * @param at {@link System#nanoTime} of the measurement
     * @return billionths of a CPU; empty for the first measurement
     */
    Optional<Long> next(long at, long cpuNanos) {
        var before = base;
        if (before == null || cpuNanos < before.cpuNanos()) {
            // the count begins anew: another machine, or a guest that lies
            base = new Sample(at, cpuNanos);
            rate = Optional.empty();
        } else if (at - before.at() >= SHORTEST) {
            double share = (cpuNanos - before.cpuNanos()) / (double) (at - before.at());
            rate = Optional.of(Math.round(share * SECOND));
            base = new Sample(at, cpuNanos);
        }
        return rate;
    }
}
