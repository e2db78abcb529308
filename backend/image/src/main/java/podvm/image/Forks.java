package podvm.image;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import podvm.engine.Deadline;
import podvm.engine.PodException;

/**
 * Work done side by side, on platform threads since it keeps a CPU busy. No task outlives the block
 * that made this.
 */
final class Forks implements AutoCloseable {
    private final String what;
    private final ExecutorService threads;
    private final ExecutorCompletionService<Void> finished;
    private int running;

    Forks(String what) {
        this.what = what;
        this.threads =
                Executors.newThreadPerTaskExecutor(
                        Thread.ofPlatform().daemon().name(what + " ", 0).factory());
        this.finished = new ExecutorCompletionService<>(threads);
    }

    void fork(Callable<Void> task) {
        finished.submit(task);
        running++;
    }

    /** Waits for all; the first failure is told at once, and closing ends the others. */
    void join(Deadline deadline) throws PodException, InterruptedException {
        for (; running > 0; running--) {
            var next = finished.poll(deadline.leftMillis(), TimeUnit.MILLISECONDS);
            if (next == null) {
                throw new PodException(
                        PodException.Kind.DEADLINE, "timed out: " + what, "allow more time");
            }
            try {
                next.get();
            } catch (ExecutionException e) {
                throw failure(e);
            }
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
        threads.close();
    }

    private PodException failure(ExecutionException e) throws InterruptedException {
        return switch (e.getCause()) {
            case PodException failure -> failure;
            case InterruptedException interrupted -> throw interrupted;
            case RuntimeException bug -> throw bug;
            case Error error -> throw error;
            case null, default -> throw new IllegalStateException(what, e);
        };
    }
}
