package podvm.engine;

import java.time.Instant;
import java.util.List;

/**
 * What is known of a pod sandbox at one moment.
 *
 * @param created when it was asked for
 * @param ips without prefix length, primary first; empty before it has any
 * @param reason why it is not ready, in one word, such as "Stopped", "GuestPanic"; empty while it
 *     is ready
 */
public record SandboxStatus(
        SandboxId id,
        SandboxSpec spec,
        State state,
        Instant created,
        List<String> ips,
        String reason,
        String message) {
    public enum State {
        /** Its machine runs and containers can be made in it. */
        READY,
        /** Being made, or ended: all that is left to do is to remove it. */
        NOT_READY
    }
}
