package podvm.engine;

import java.time.Instant;

/** Something that happened to a pod, for logs, metrics and whoever watches. */
public record PodEvent(
        Instant at, PodId pod, String podName, Severity severity, String name, String text) {
    public enum Severity {
        NORMAL,
        WARNING
    }

    /** Hears events; must not block. */
    @FunctionalInterface
    public interface Listener {
        void on(PodEvent event);
    }
}
