package podvm.engine.pod;

import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.GuestResources.Detail;
import podvm.engine.MachineCost;
import podvm.engine.PodException;
import podvm.engine.PodStats;

/** Measures one pod, and keeps what is needed to tell rates the next time. */
final class Meter {
    private static final long NANOS_PER_MICRO = 1000;

    private final CpuRate machine = new CpuRate();
    private final CpuRate pod = new CpuRate();
    private final Map<ContainerId, CpuRate> containers = new HashMap<>();

    PodStats measure(Sandbox sandbox, Detail detail, Deadline deadline)
            throws PodException, InterruptedException {
        var guest = sandbox.agent().resources().stats(detail, deadline);
        var cost = sandbox.machine().cost();
        return new PodStats(Instant.now(), guest, cost, sandbox.size(), rates(guest, cost));
    }

    private synchronized PodStats.Rates rates(
            podvm.engine.GuestStats guest, Optional<MachineCost> cost) {
        long now = System.nanoTime();
        var present = new HashSet<ContainerId>();
        var rates = new HashMap<ContainerId, Long>();
        for (var container : guest.containers()) {
            present.add(container.id());
            containers
                    .computeIfAbsent(container.id(), _ -> new CpuRate())
                    .next(now, nanos(container.group().cpu().usageMicros()))
                    .ifPresent(rate -> rates.put(container.id(), rate));
        }
        containers.keySet().retainAll(present);
        return new PodStats.Rates(
                cost.flatMap(one -> machine.next(now, one.cpuNanos())),
                pod.next(now, nanos(guest.pod().cpu().usageMicros())),
                Map.copyOf(rates));
    }

    static long nanos(long micros) {
        return micros > Long.MAX_VALUE / NANOS_PER_MICRO
                ? Long.MAX_VALUE
                : micros * NANOS_PER_MICRO;
    }
}
