package podvm.network.cni;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * Work that goes on when its caller is interrupted: who undoes something must not stop half-way.
 */
final class Undisturbed {
    private Undisturbed() {}

    @FunctionalInterface
    interface Work {
        void run() throws PodException, InterruptedException;
    }

    static void run(Work work) throws PodException {
        var task =
                new FutureTask<>(() -> {
                    work.run();
                    return true;
                });
        var _ = Thread.ofVirtual().name("undisturbed").start(task);
        var interrupted = false;
        try {
            while (true) {
                try {
                    var _ = task.get();
                    return;
                } catch (InterruptedException _) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    switch (e.getCause()) {
                        case PodException failure -> throw failure;
                        case RuntimeException bug -> throw bug;
                        case Error error -> throw error;
                        case null, default ->
                                throw new PodException(
                                        Kind.UNAVAILABLE, "interrupted: " + e.getMessage(), "", e);
                    }
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
