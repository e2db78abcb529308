package podvm.engine;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Something that happened to a pod sandbox, or to a container in it, with the state that all of it
 * has since.
 *
 * @param container empty: it happened to the sandbox itself
 * @param sandbox as it is after the event; after DELETED as it last was
 */
public record SandboxEvent(
        Instant at,
        Type type,
        Optional<ContainerId> container,
        SandboxStatus sandbox,
        List<SandboxContainer> containers) {
    public enum Type {
        CREATED,
        STARTED,
        STOPPED,
        DELETED
    }

    /** Hears events in the order in which they happened to a sandbox; must not block. */
    @FunctionalInterface
    public interface Listener {
        void on(SandboxEvent event);
    }

    /** Closing it ends the listening. */
    public interface Subscription extends AutoCloseable {
        @Override
        void close();
    }
}
