package podvm.node;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import podvm.engine.ContainerId;
import podvm.engine.GuestStats;
import podvm.engine.PodException;
import podvm.engine.PodStats;
import podvm.engine.PodStatus;
import podvm.engine.Pods;
import podvm.proto.node.v1.ContainerUse;
import podvm.proto.node.v1.MachineUse;
import podvm.proto.node.v1.NetworkUse;
import podvm.proto.node.v1.PodStatsRequest;
import podvm.proto.node.v1.PodStatsResponse;
import podvm.proto.node.v1.PodUse;
import podvm.proto.node.v1.Use;

/** What pods use, as the wire has it. */
final class PodUses {
    private static final long NANOS_PER_MICRO = 1000;
    private static final long UNKNOWN = -1;

    private PodUses() {}

    static PodStatsResponse answer(Pods pods, PodStatsRequest request)
            throws PodException, InterruptedException {
        var wanted = new ArrayList<PodStatus>();
        for (var reference : request.getPodsList()) {
            wanted.add(running(pods.status(pods.resolve(reference))));
        }
        if (wanted.isEmpty()) {
            wanted.addAll(pods.list());
            wanted.removeIf(status -> status.phase().ended());
        }
        var measured = pods.usage().stats(wanted.stream().map(PodStatus::id).toList());
        var response = PodStatsResponse.newBuilder();
        for (var status : wanted) {
            var stats = measured.get(status.id());
            if (stats != null) {
                response.addPods(pod(status, stats));
            }
        }
        return response.build();
    }

    private static PodStatus running(PodStatus status) throws PodException {
        if (status.phase().ended()) {
            throw new PodException(
                    PodException.Kind.CONFLICT,
                    "pod " + status.spec().name() + " has ended",
                    "only what runs can be measured");
        }
        return status;
    }

    private static PodUse pod(PodStatus status, PodStats stats) {
        var guest = stats.guest();
        var pod =
                PodUse.newBuilder()
                        .setId(status.id().text())
                        .setNamespace(status.spec().namespace())
                        .setName(status.spec().name())
                        .setManager(PodMessages.manager(status))
                        .setAtUnixNs(PodMessages.nanos(stats.at()))
                        .setUse(use(guest.pod(), stats.rates().pod()))
                        .setMachine(machine(stats));
        var names = names(status);
        for (var container : guest.containers()) {
            var name = names.get(container.id());
            // the guest keeps earlier attempts for a while
            if (name != null) {
                var rate = Optional.ofNullable(stats.rates().containers().get(container.id()));
                pod.addContainers(
                        ContainerUse.newBuilder()
                                .setName(name)
                                .setId(container.id().text())
                                .setUse(use(container.group(), rate)));
            }
        }
        for (var one : guest.interfaces()) {
            pod.addNetwork(
                    NetworkUse.newBuilder()
                            .setInterface(one.name())
                            .setReceivedBytes(one.receivedBytes())
                            .setSentBytes(one.sentBytes()));
        }
        return pod.build();
    }

    /** Of the newest attempts. */
    static Map<ContainerId, String> names(PodStatus status) {
        var names = new HashMap<ContainerId, String>();
        for (var container : status.containers()) {
            container.id().ifPresent(id -> names.put(id, container.name()));
        }
        return names;
    }

    private static Use use(GuestStats.Group group, Optional<Long> rate) {
        var memory = group.memory();
        return Use.newBuilder()
                .setCpuNanosPerSecond(rate.orElse(UNKNOWN))
                .setCpuTotalUs(group.cpu().usageMicros())
                .setMemoryBytes(memory.workingSetBytes())
                .setMemoryLimitBytes(memory.maxBytes())
                .setMemoryPeakBytes(memory.peakBytes())
                .setOomKills(memory.oomKills())
                .setDiskReadBytes(sum(group.devices(), true))
                .setDiskWrittenBytes(sum(group.devices(), false))
                .setProcesses(group.processes())
                .setThreads(group.threads())
                .build();
    }

    /** The guest's numbers are large where it wishes so. */
    private static long sum(List<GuestStats.Device> devices, boolean read) {
        long sum = 0;
        for (var device : devices) {
            sum += read ? device.readBytes() : device.writtenBytes();
        }
        return Math.max(0, sum);
    }

    private static MachineUse machine(PodStats stats) {
        var machine =
                MachineUse.newBuilder()
                        .setVcpus(stats.size().vcpus())
                        .setMemoryMib(stats.size().memoryMib())
                        .setCpuNanosPerSecond(stats.rates().machine().orElse(UNKNOWN))
                        .setCpuTotalUs(UNKNOWN)
                        .setMemoryBytes(UNKNOWN);
        stats.machine()
                .ifPresent(cost ->
                        machine.setCpuTotalUs(cost.cpuNanos() / NANOS_PER_MICRO)
                                .setMemoryBytes(cost.pssBytes()));
        return machine.build();
    }
}
