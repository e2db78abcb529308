package podvm.engine.pod;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import podvm.engine.ContainerConfig.Resources;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.GuestResources.Detail;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodStats;
import podvm.engine.SandboxId;
import podvm.engine.SandboxResources;
import podvm.engine.SandboxStatus;

/** What the sandboxes of a table use and may use. */
final class RunningResources implements SandboxResources {
    private static final Duration ONE = Duration.ofSeconds(20);

    private final SandboxTable table;

    RunningResources(SandboxTable table) {
        this.table = table;
    }

    @Override
    public PodStats stats(SandboxId sandbox, Detail detail)
            throws PodException, InterruptedException {
        var life = table.life(sandbox);
        life.awaitSettled();
        return measure(life, detail, Deadline.after(ONE));
    }

    private static PodStats measure(SandboxLife life, Detail detail, Deadline deadline)
            throws PodException, InterruptedException {
        var record = life.record();
        var now = life.link().sandbox();
        if (now.isEmpty() || record.status().state() != SandboxStatus.State.READY) {
            throw new PodException(
                    Kind.CONFLICT,
                    "pod sandbox " + record.spec().metadata() + " is not ready",
                    "only what runs can be measured");
        }
        return life.meter().measure(now.get(), detail, deadline);
    }

    @Override
    public Map<SandboxId, PodStats> stats(Collection<SandboxId> sandboxes, Detail detail)
            throws InterruptedException {
        return MeterRound.measure(
                sandboxes,
                (id, deadline) -> {
                    var life = table.find(id);
                    return life.isEmpty()
                            ? Optional.empty()
                            : Optional.of(measure(life.get(), detail, deadline));
                });
    }

    @Override
    public void update(ContainerId container, Resources change)
            throws PodException, InterruptedException {
        var place = table.known(container);
        var life = place.life();
        life.ask(() -> {
            life.containers().update(place.slot(), change);
            return true;
        });
    }

    @Override
    public void update(SandboxId sandbox, Resources change, Optional<Long> overheadBytes)
            throws PodException, InterruptedException {
        var life = table.life(sandbox);
        life.ask(() -> {
            life.containers().updatePod(change, overheadBytes);
            return true;
        });
    }
}
