package podvm.engine;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a daemon must find again after it died: one per pod, replaced as a whole.
 *
 * @param stage how far the pod had got
 * @param status as it was last published
 * @param images the images its containers run from, in the order of the status's containers; empty
 *     before they were resolved
 * @param stopBy present: somebody stops the pod, and its containers have until then
 */
public record PodRecord(
        Stage stage, PodStatus status, List<Image> images, Optional<Instant> stopBy) {
    /** Records of earlier versions do not say the last. */
    public PodRecord {
        stopBy = Objects.requireNonNullElse(stopBy, Optional.empty());
    }

    public enum Stage {
        /** Host objects may exist; no container does: start again from nothing. */
        STARTING,
        /** The guest is configured: adopt it. */
        STARTED,
        ENDED
    }

    public PodId id() {
        return status.id();
    }

    public Instant created() {
        return status.created();
    }

    public Optional<Instant> finished() {
        return status.finished();
    }
}
