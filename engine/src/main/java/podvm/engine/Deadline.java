package podvm.engine;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** The instant by which work must be done, on the monotonic clock. */
public record Deadline(long nanoTime) {
    public static Deadline after(Duration duration) {
        return new Deadline(System.nanoTime() + duration.toNanos());
    }

    /** The earlier of this and {@code duration} from now. */
    public Deadline atMost(Duration duration) {
        var other = after(duration);
        return other.nanoTime - nanoTime < 0 ? other : this;
    }

    /** What is left; zero when it has passed. */
    public Duration left() {
        return Duration.ofNanos(Math.max(0, nanoTime - System.nanoTime()));
    }

    public long leftMillis() {
        return TimeUnit.NANOSECONDS.toMillis(left().toNanos());
    }

    public boolean passed() {
        return nanoTime - System.nanoTime() <= 0;
    }

    /** Fails with DEADLINE, naming what was waited for, once the time has passed. */
    public void check(String what) throws PodException {
        if (passed()) {
            throw new PodException(PodException.Kind.DEADLINE, "timed out: " + what, "");
        }
    }
}
