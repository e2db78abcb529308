package podvm.engine;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Undo that is built in: everything added is closed, newest first, unless {@link #keep} took it
 * over.
 */
public final class Rollback implements AutoCloseable {
    private final Deque<AutoCloseable> owned = new ArrayDeque<>();

    public <T extends AutoCloseable> T add(T resource) {
        owned.push(resource);
        return resource;
    }

    /**
     * Hands everything to the caller: the returned object closes it all, newest first; this one
     * closes nothing any more.
     */
    public Rollback keep() {
        var kept = new Rollback();
        owned.reversed().forEach(kept::add);
        owned.clear();
        return kept;
    }

    /**
     * Closes all of it even where some of it fails; throws the first failure, which carries the
     * others.
     */
    @Override
    public void close() throws PodException {
        Throwable first = null;
        while (!owned.isEmpty()) {
            try {
                owned.pop().close();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (Throwable e) {
                // an Error too: what it leaves open would stay open
                if (first == null) {
                    first = e;
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        switch (first) {
            case null -> {}
            case PodException failure -> throw failure;
            case RuntimeException bug -> throw bug;
            case Error error -> throw error;
            default ->
                    throw new PodException(
                            PodException.Kind.MACHINE,
                            "cannot release: " + first.getMessage(),
                            "",
                            first);
        }
    }
}
