package podvm.engine;

import java.time.Instant;
import java.util.Optional;

/**
 * Something that happened to a pod or to one of its containers.
 *
 * @param pod as it was then
 * @param container empty: it happened to the pod itself
 * @param exitCode of EXITED and ENDED; else 0
 * @param reason one word; may be empty
 */
public record PodChange(
        Instant at,
        PodStatus pod,
        Optional<String> container,
        Kind kind,
        int exitCode,
        String reason,
        String message) {
    public enum Kind {
        CREATED,
        STARTED,
        EXITED,
        /** The kernel killed it for memory; that it exited is told as well. */
        OOM_KILLED,
        /** A daemon took it up that an earlier one had left running. */
        ADOPTED,
        /** Nothing of the pod runs any more. */
        ENDED,
        REMOVED
    }
}
