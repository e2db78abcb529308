package podvm.engine;

import java.util.concurrent.ExecutionException;

/** Tells whoever has waited for a task why it failed. */
public final class Causes {
    private Causes() {}

    /** What the task has thrown; a bug is thrown on. */
    public static PodException of(ExecutionException failure) {
        return switch (failure.getCause()) {
            case PodException known -> known;
            case RuntimeException bug -> throw bug;
            case Error bug -> throw bug;
            case null, default -> throw new IllegalStateException(failure);
        };
    }
}
