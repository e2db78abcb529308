package podvm.engine.pod;

import java.time.Duration;
import java.time.Instant;

/**
 * Delays between restarts, as the kubelet has them: none before the first, then doubling up to a
 * limit; a container that ran for twice the limit begins anew.
 */
final class Backoff {
    private final Duration first;
    private final Duration last;
    private Duration next = Duration.ZERO;

    Backoff(Duration first, Duration last) {
        this.first = first;
        this.last = last;
    }

    Duration after(Instant started, Instant finished) {
        if (Duration.between(started, finished).compareTo(last.multipliedBy(2)) > 0) {
            next = Duration.ZERO;
        }
        var delay = next;
        var doubled = next.isZero() ? first : next.multipliedBy(2);
        next = doubled.compareTo(last) > 0 ? last : doubled;
        return delay;
    }
}
