package podvm.engine;

import java.time.Instant;
import java.util.List;

/**
 * What a daemon must find again of a pod sandbox after it died: one per sandbox, replaced as a
 * whole.
 *
 * @param reason why it is not ready, or will not be; empty: it is, or is on the way
 * @param shares paths of the host that its containers mount
 */
public record SandboxRecord(
        SandboxId id,
        SandboxSpec spec,
        Stage stage,
        Instant created,
        MachineSize size,
        List<String> ips,
        String reason,
        String message,
        List<Held> containers,
        List<SandboxShare> shares,
        SandboxBounds bounds) {
    @SuppressWarnings("NullAway") // a missing part of an older record
    public SandboxRecord {
        shares = shares == null ? List.of() : List.copyOf(shares);
        bounds = bounds == null ? SandboxBounds.NONE : bounds;
    }

    public enum Stage {
        /** Host objects may exist, and nobody has been told of them: remove them. */
        STARTING,
        /** The guest is configured: adopt it. */
        STARTED,
        /** Nothing is left of it but what is told here. */
        ENDED
    }

    /**
     * @param real false: it is being made or removed, and the next daemon removes it
     */
    public record Held(SandboxContainer container, boolean real) {}

    public SandboxStatus status() {
        boolean ready = stage == Stage.STARTED && reason.isEmpty();
        return new SandboxStatus(
                id,
                spec,
                ready ? SandboxStatus.State.READY : SandboxStatus.State.NOT_READY,
                created,
                ips,
                reason,
                message);
    }

    public List<SandboxContainer> realContainers() {
        return containers.stream().filter(Held::real).map(Held::container).toList();
    }
}
