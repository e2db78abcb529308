package podvm.e2e;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.Supplier;

/**
 * Waiting for what will be true, with a limit. Generous: an emulated machine on a busy host is
 * slow.
 */
final class Wait {
    static final Duration LONG = Duration.ofSeconds(120);

    private static final Duration STEP = Duration.ofMillis(100);

    private Wait() {}

    static void until(String what, Callable<Boolean> condition) {
        until(what, condition, () -> "");
    }

    static void until(String what, Callable<Boolean> condition, Supplier<String> otherwise) {
        var end = System.nanoTime() + LONG.toNanos();
        try {
            while (!condition.call()) {
                if (System.nanoTime() > end) {
                    throw new AssertionError(
                            "waited in vain until " + what + " " + otherwise.get());
                }
                Thread.sleep(STEP);
            }
        } catch (Exception e) {
            throw new AssertionError("waiting until " + what + ": " + e, e);
        }
    }
}
