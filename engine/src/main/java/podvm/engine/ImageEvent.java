package podvm.engine;

import java.time.Instant;

/** Something that happened to an image without anybody asking for it. */
public record ImageEvent(
        Instant at, String image, PodEvent.Severity severity, String name, String text) {
    /** Hears events; must not block. */
    @FunctionalInterface
    public interface Listener {
        void on(ImageEvent event);
    }
}
