package podvm.cri;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import podvm.engine.GuestStats;
import podvm.engine.GuestStats.Group;
import podvm.engine.PodStats;
import podvm.engine.SandboxContainer;
import podvm.engine.SandboxStatus;
import podvm.proto.cri.v1.ContainerAttributes;
import podvm.proto.cri.v1.ContainerStats;
import podvm.proto.cri.v1.CpuUsage;
import podvm.proto.cri.v1.FilesystemUsage;
import podvm.proto.cri.v1.IoUsage;
import podvm.proto.cri.v1.MemoryUsage;
import podvm.proto.cri.v1.NetworkInterfaceUsage;
import podvm.proto.cri.v1.NetworkUsage;
import podvm.proto.cri.v1.PodSandboxAttributes;
import podvm.proto.cri.v1.PodSandboxStats;
import podvm.proto.cri.v1.PsiData;
import podvm.proto.cri.v1.PsiStats;
import podvm.proto.cri.v1.SwapUsage;
import podvm.proto.cri.v1.UInt64Value;

/** Measurements as messages. */
final class StatsMessages {
    private static final String DEFAULT_INTERFACE = "eth0";
    private static final long NANOS_PER_MICRO = 1000;

    private StatsMessages() {}

    /**
     * @param disk where the node has what containers write
     */
    static ContainerStats container(
            SandboxContainer container, GuestStats.Container use, PodStats stats, String disk) {
        long at = Times.nanos(stats.at());
        var group = use.group();
        var rate = Optional.ofNullable(stats.rates().containers().get(container.id()));
        var message =
                ContainerStats.newBuilder()
                        .setAttributes(attributes(container))
                        .setCpu(cpu(group, at, micros(group.cpu().usageMicros()), rate))
                        .setMemory(memory(group, at))
                        .setSwap(noSwap(at))
                        .setIo(io(group, at));
        use.writableLayer()
                .ifPresent(files -> message.setWritableLayer(layer(disk, files, stats.at())));
        return message.build();
    }

    private static ContainerAttributes attributes(SandboxContainer container) {
        var config = container.config();
        return ContainerAttributes.newBuilder()
                .setId(container.id().text())
                .setMetadata(ContainerMessages.metadata(config.metadata()))
                .putAllLabels(config.labels())
                .putAllAnnotations(config.annotations())
                .build();
    }

    static PodSandboxStats sandbox(
            SandboxStatus sandbox, PodStats stats, List<ContainerStats> containers) {
        long at = Times.nanos(stats.at());
        var spec = sandbox.spec();
        var group = stats.guest().pod();
        var message = PodSandboxStats.newBuilder();
        message.setAttributes(
                PodSandboxAttributes.newBuilder()
                        .setId(sandbox.id().text())
                        .setMetadata(SandboxMessages.metadata(spec.metadata()))
                        .putAllLabels(spec.labels())
                        .putAllAnnotations(spec.annotations()));
        message.getLinuxBuilder()
                .setCpu(podCpu(stats, at))
                .setMemory(podMemory(stats, at))
                .setNetwork(network(stats.guest().interfaces(), at))
                .setIo(io(group, at))
                .addAllContainers(containers)
                .getProcessBuilder()
                .setTimestamp(at)
                .setProcessCount(value(group.processes()));
        return message.build();
    }

    /** Of the machine where it is a process of this node: what the pod costs the node. */
    private static CpuUsage podCpu(PodStats stats, long at) {
        var group = stats.guest().pod();
        return stats.machine()
                .map(cost -> cpu(group, at, cost.cpuNanos(), stats.rates().machine()))
                .orElseGet(() ->
                        cpu(group, at, micros(group.cpu().usageMicros()), stats.rates().pod()));
    }

    private static MemoryUsage podMemory(PodStats stats, long at) {
        var message =
                memory(stats.guest().pod(), at).toBuilder()
                        .setAvailableBytes(value(stats.guest().memoryAvailableBytes()));
        stats.machine()
                .ifPresent(cost ->
                        message.setUsageBytes(value(cost.pssBytes()))
                                .setWorkingSetBytes(value(cost.pssBytes()))
                                .setRssBytes(value(cost.rssBytes())));
        return message.build();
    }

    private static CpuUsage cpu(Group group, long at, long nanos, Optional<Long> rate) {
        var message = CpuUsage.newBuilder().setTimestamp(at).setUsageCoreNanoSeconds(value(nanos));
        rate.ifPresent(nanoCores -> message.setUsageNanoCores(value(nanoCores)));
        group.cpuPressure().ifPresent(pressure -> message.setPsi(psi(pressure)));
        return message.build();
    }

    private static MemoryUsage memory(Group group, long at) {
        var memory = group.memory();
        var message =
                MemoryUsage.newBuilder()
                        .setTimestamp(at)
                        .setWorkingSetBytes(value(memory.workingSetBytes()))
                        .setUsageBytes(value(memory.usageBytes()))
                        .setRssBytes(value(memory.anonBytes()))
                        .setPageFaults(value(memory.pageFaults()))
                        .setMajorPageFaults(value(memory.majorPageFaults()));
        if (memory.maxBytes() > 0) {
            message.setAvailableBytes(
                    value(Math.max(0, memory.maxBytes() - memory.workingSetBytes())));
        }
        group.memoryPressure().ifPresent(pressure -> message.setPsi(psi(pressure)));
        return message.build();
    }

    /** A guest has no swap. */
    private static SwapUsage noSwap(long at) {
        return SwapUsage.newBuilder()
                .setTimestamp(at)
                .setSwapAvailableBytes(value(0))
                .setSwapUsageBytes(value(0))
                .build();
    }

    private static IoUsage io(Group group, long at) {
        var message = IoUsage.newBuilder().setTimestamp(at);
        group.ioPressure().ifPresent(pressure -> message.setPsi(psi(pressure)));
        return message.build();
    }

    private static FilesystemUsage layer(String disk, GuestStats.Files files, Instant at) {
        var message =
                FilesystemUsage.newBuilder()
                        .setTimestamp(Times.nanos(at))
                        .setUsedBytes(value(files.bytes()))
                        .setInodesUsed(value(files.inodes()));
        message.getFsIdBuilder().setMountpoint(disk);
        return message.build();
    }

    private static NetworkUsage network(List<GuestStats.Interface> all, long at) {
        var message = NetworkUsage.newBuilder().setTimestamp(at);
        for (var one : all) {
            if (one.name().equals(DEFAULT_INTERFACE)) {
                message.setDefaultInterface(network(one));
            } else {
                message.addInterfaces(network(one));
            }
        }
        return message.build();
    }

    private static NetworkInterfaceUsage network(GuestStats.Interface one) {
        return NetworkInterfaceUsage.newBuilder()
                .setName(one.name())
                .setRxBytes(value(one.receivedBytes()))
                .setRxErrors(value(one.receiveErrors()))
                .setTxBytes(value(one.sentBytes()))
                .setTxErrors(value(one.sendErrors()))
                .build();
    }

    private static PsiStats psi(GuestStats.Pressure pressure) {
        return PsiStats.newBuilder()
                .setSome(psi(pressure.some()))
                .setFull(psi(pressure.full()))
                .build();
    }

    private static PsiData psi(GuestStats.Waited waited) {
        return PsiData.newBuilder()
                .setTotal(micros(waited.totalMicros()))
                .setAvg10(waited.avg10())
                .setAvg60(waited.avg60())
                .setAvg300(waited.avg300())
                .build();
    }

    private static long micros(long micros) {
        return micros > Long.MAX_VALUE / NANOS_PER_MICRO
                ? Long.MAX_VALUE
                : micros * NANOS_PER_MICRO;
    }

    static UInt64Value value(long number) {
        return UInt64Value.newBuilder().setValue(number).build();
    }
}
