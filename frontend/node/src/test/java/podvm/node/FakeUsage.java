package podvm.node;

import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import podvm.engine.ContainerId;
import podvm.engine.GuestProcess;
import podvm.engine.GuestStats;
import podvm.engine.MachineCost;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.PodStats;
import podvm.engine.PodUsage;
import podvm.engine.Pods;

/** Every container uses a quarter of a CPU and 10 MB. */
record FakeUsage(Pods pods) implements PodUsage {
    private static final long QUARTER = 250_000_000;

    private List<ContainerId> containers(PodId pod) {
        try {
            return pods.status(pod).containers().stream()
                    .flatMap(one -> one.id().stream())
                    .toList();
        } catch (PodException e) {
            return List.of();
        }
    }

    @Override
    public Map<PodId, PodStats> stats(Collection<PodId> all) {
        var stats = new LinkedHashMap<PodId, PodStats>();
        for (var pod : all) {
            stats.put(pod, stats(containers(pod)));
        }
        return stats;
    }

    private static PodStats stats(List<ContainerId> ids) {
        var rates = new LinkedHashMap<ContainerId, Long>();
        ids.forEach(id -> rates.put(id, QUARTER));
        var guest =
                new GuestStats(
                        group(ids.size()),
                        ids.stream()
                                .map(id ->
                                        new GuestStats.Container(
                                                id, group(1), Optional.empty(), Optional.empty()))
                                .toList(),
                        List.of(new GuestStats.Interface("eth0", 1000, 1, 0, 0, 2000, 2, 0, 0)),
                        256 << 20,
                        128 << 20,
                        Optional.empty());
        return new PodStats(
                Instant.now(),
                guest,
                Optional.of(new MachineCost(1, 5_000_000, 90_000_000, 80_000_000, 3)),
                new MachineSize(1, 256),
                new PodStats.Rates(
                        Optional.of(3 * QUARTER), Optional.of(QUARTER * ids.size()), rates));
    }

    private static GuestStats.Group group(int containers) {
        long bytes = 10_000_000L * containers;
        return new GuestStats.Group(
                new GuestStats.Cpu(1000, 500, 500, 0, 0, 0),
                new GuestStats.Memory(bytes, 0, 0, 0, 0, 0, 0, 0, 0, 0, bytes, 0, 0, 0, 0),
                List.of(new GuestStats.Device(8, 0, "/dev/sda", 3000, 4000, 1, 1)),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                containers,
                2L * containers,
                0);
    }

    @Override
    public List<GuestProcess> processes(PodId pod) {
        return containers(pod).stream()
                .map(id -> new GuestProcess(id, 1, 0, 65_534, "S", 61_230, 4_000_000, "sleep 10"))
                .toList();
    }
}
