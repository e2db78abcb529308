package podvm.cri;

import java.time.Instant;

/** CRI's clock: nanoseconds since the epoch. */
final class Times {
    private static final long NANOS = 1_000_000_000;

    private Times() {}

    static long nanos(Instant time) {
        return time.getEpochSecond() * NANOS + time.getNano();
    }
}
