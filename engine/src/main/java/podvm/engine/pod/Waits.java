package podvm.engine.pod;

import java.time.Duration;

/** How long one waits for what may never come. */
final class Waits {
    static final Duration LONGEST = Duration.ofDays(365);

    private Waits() {}

    static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }
}
