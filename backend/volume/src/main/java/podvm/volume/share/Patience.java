package podvm.volume.share;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import podvm.engine.Causes;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * Looks at files that may lie on a network whose server is gone: such a call cannot be interrupted,
 * so another thread makes it, and is left alone with it when it takes too long.
 */
final class Patience {
    private static final Duration LONGEST = Duration.ofSeconds(20);

    private Patience() {}

    @FunctionalInterface
    interface Work<T> {
        T run() throws PodException;
    }

    /** What comes too late is closed. */
    static <T> T with(Path path, Executor workers, Work<T> work)
            throws PodException, InterruptedException {
        var result = new CompletableFuture<T>();
        workers.execute(() -> run(work, result));
        try {
            return result.get(LONGEST.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new PodException(
                    Kind.DEADLINE,
                    "%s does not answer within %d s".formatted(path, LONGEST.toSeconds()),
                    "is it on a network file system whose server is gone?",
                    e);
        } catch (ExecutionException e) {
            throw Causes.of(e);
        } finally {
            if (!result.isDone()) {
                result.cancel(false);
            }
        }
    }

    private static <T> void run(Work<T> work, CompletableFuture<T> result) {
        try {
            var made = work.run();
            if (!result.complete(made)) {
                close(made);
            }
        } catch (PodException | RuntimeException e) {
            result.completeExceptionally(e);
        } catch (Error bug) {
            result.completeExceptionally(bug);
            throw bug;
        }
    }

    private static void close(Object made) {
        try {
            if (made instanceof AutoCloseable late) {
                late.close();
            }
        } catch (Exception e) {
            throw new IllegalStateException("what nobody waits for any more cannot be closed", e);
        }
    }
}
