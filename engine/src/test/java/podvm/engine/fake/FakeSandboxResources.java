package podvm.engine.fake;

import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerId;
import podvm.engine.GuestResources.Detail;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodStats;
import podvm.engine.SandboxContainer;
import podvm.engine.SandboxId;
import podvm.engine.SandboxResources;
import podvm.engine.SandboxStatus;

/** What fake sandboxes use: what the test has set in the meters. */
public final class FakeSandboxResources implements SandboxResources {
    public final FakeMeters meters = new FakeMeters();
    private final FakeSandboxes sandboxes;
    private final List<ContainerConfig.Resources> podChanges = new CopyOnWriteArrayList<>();
    private final List<Long> overheads = new CopyOnWriteArrayList<>();
    private PodStats.Rates rates = new PodStats.Rates(Optional.empty(), Optional.empty(), Map.of());

    FakeSandboxResources(FakeSandboxes sandboxes) {
        this.sandboxes = sandboxes;
    }

    @Override
    public void update(ContainerId container, ContainerConfig.Resources change)
            throws PodException {
        sandboxes.limit(container, change);
    }

    @Override
    public void update(
            SandboxId sandbox, ContainerConfig.Resources change, Optional<Long> overheadBytes)
            throws PodException {
        var _ = sandboxes.status(sandbox);
        podChanges.add(change);
        overheadBytes.ifPresent(overheads::add);
    }

    public List<Long> overheads() {
        return List.copyOf(overheads);
    }

    /** What was asked of sandboxes, oldest first. */
    public List<ContainerConfig.Resources> podChanges() {
        return List.copyOf(podChanges);
    }

    public void rates(PodStats.Rates now) {
        rates = now;
    }

    @Override
    public PodStats stats(SandboxId sandbox, Detail detail) throws PodException {
        if (sandboxes.status(sandbox).state() != SandboxStatus.State.READY) {
            throw new PodException(Kind.CONFLICT, "pod sandbox " + sandbox + " is not ready", "");
        }
        var ids =
                sandboxes.containers().stream()
                        .filter(one -> one.sandbox().equals(sandbox))
                        .map(SandboxContainer::id)
                        .toList();
        return new PodStats(
                Instant.now(),
                meters.stats(ids),
                Optional.of(meters.cost()),
                new MachineSize(1, 256),
                rates);
    }

    @Override
    public Map<SandboxId, PodStats> stats(Collection<SandboxId> all, Detail detail) {
        var result = new LinkedHashMap<SandboxId, PodStats>();
        for (var id : all) {
            try {
                result.put(id, stats(id, detail));
            } catch (PodException e) {
                // left out, as a list does
            }
        }
        return result;
    }
}
