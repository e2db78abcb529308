package podvm.engine;

import java.time.Instant;
import java.util.Optional;

/**
 * What is known of one container of a pod sandbox at one moment.
 *
 * @param started empty before
 * @param finished empty before
 * @param exitCode 0 before it has ended
 * @param reason empty before the end; then "Completed", "Error", "OOMKilled" or
 *     "ContainerStartFailed"
 * @param imageId of the image that it runs from
 */
public record SandboxContainer(
        ContainerId id,
        SandboxId sandbox,
        ContainerConfig config,
        Digest imageId,
        State state,
        Instant created,
        Optional<Instant> started,
        Optional<Instant> finished,
        int exitCode,
        String reason,
        String message) {
    public enum State {
        CREATED,
        RUNNING,
        EXITED,
        /** This daemon has not reached the guest that has it yet. */
        UNKNOWN
    }
}
