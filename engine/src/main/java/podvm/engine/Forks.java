package podvm.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Tasks that run beside each other on virtual threads and end here: the first failure, the deadline
 * or an interrupt cancels the rest, and no task outlives the block.
 */
public final class Forks implements AutoCloseable {
    private final String name;
    private final List<Thread> threads = new ArrayList<>();
    private final List<FutureTask<?>> tasks = new ArrayList<>();
    private final LinkedBlockingQueue<Future<?>> done = new LinkedBlockingQueue<>();

    public Forks(String name) {
        this.name = name;
    }

    public <T> Future<T> fork(Callable<T> work) {
        var task =
                new FutureTask<>(work) {
                    @Override
                    protected void done() {
                        done.add(this);
                    }
                };
        tasks.add(task);
        threads.add(Thread.ofVirtual().name(name + "-" + tasks.size()).start(task));
        return task;
    }

    /** Waits for all of them. */
    public void join(Deadline deadline) throws PodException, InterruptedException {
        for (int ended = 0; ended < tasks.size(); ended++) {
            var task = done.poll(deadline.left().toNanos(), TimeUnit.NANOSECONDS);
            if (task == null) {
                throw new PodException(PodException.Kind.DEADLINE, "timed out: " + name, "");
            }
            try {
                task.get();
            } catch (ExecutionException e) {
                switch (e.getCause()) {
                    case PodException failure -> throw failure;
                    case InterruptedException _ ->
                            throw new InterruptedException(name + " was cancelled");
                    case RuntimeException bug -> throw bug;
                    case Error error -> throw error;
                    case null, default -> throw new IllegalStateException(e);
                }
            }
        }
    }

    /** Cancels what still runs and waits for it. */
    @Override
    public void close() {
        tasks.forEach(task -> task.cancel(true));
        boolean interrupted = false;
        for (var thread : threads) {
            while (true) {
                try {
                    thread.join();
                    break;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
