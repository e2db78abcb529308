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
 * @param user as the guest has resolved it; empty where it could not, and for containers of an
 *     older daemon
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
        String message,
        Optional<Agent.ResolvedUser> user) {
    @SuppressWarnings("NullAway") // a missing part of an older record
    public SandboxContainer {
        user = user == null ? Optional.empty() : user;
    }

    public enum State {
        CREATED,
        RUNNING,
        EXITED,
        /** This daemon has not reached the guest that has it yet. */
        UNKNOWN
    }
}
