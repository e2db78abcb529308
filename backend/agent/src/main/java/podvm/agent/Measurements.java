package podvm.agent;

import static podvm.agent.GuestNumbers.size;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import podvm.engine.ContainerId;
import podvm.engine.GuestStats;
import podvm.engine.GuestStats.Container;
import podvm.engine.GuestStats.Cpu;
import podvm.engine.GuestStats.Device;
import podvm.engine.GuestStats.Files;
import podvm.engine.GuestStats.Group;
import podvm.engine.GuestStats.Interface;
import podvm.engine.GuestStats.Memory;
import podvm.engine.GuestStats.OpenFiles;
import podvm.engine.GuestStats.Pressure;
import podvm.engine.GuestStats.Scratch;
import podvm.engine.GuestStats.Waited;
import podvm.proto.agent.v1.CgroupUse;
import podvm.proto.agent.v1.ContainerUse;
import podvm.proto.agent.v1.CpuUse;
import podvm.proto.agent.v1.DeviceUse;
import podvm.proto.agent.v1.InterfaceUse;
import podvm.proto.agent.v1.MemoryUse;
import podvm.proto.agent.v1.PressureUse;
import podvm.proto.agent.v1.ScratchUse;
import podvm.proto.agent.v1.StatsResponse;

/**
 * What the guest says that its containers use. All of it may be a lie: no number is negative, no
 * text is long or holds control characters, no list is longer than a machine could make it.
 */
final class Measurements {
    private static final int MOST_CONTAINERS = 512;
    private static final int MOST_DEVICES = 512;
    private static final int MOST_INTERFACES = 64;
    private static final int LONGEST_NAME = 64;
    private static final int WHOLE = 10_000;
    private static final double HUNDREDTHS = 100;

    private Measurements() {}

    static GuestStats read(StatsResponse stats) {
        var seen = new HashSet<ContainerId>();
        var containers = new ArrayList<Container>();
        for (var use : stats.getContainersList()) {
            var id = ContainerId.of(use.getId());
            if (id.isPresent() && seen.size() < MOST_CONTAINERS && seen.add(id.get())) {
                containers.add(container(id.get(), use));
            }
        }
        return new GuestStats(
                group(stats.getPod()),
                List.copyOf(containers),
                stats.getInterfacesList().stream()
                        .limit(MOST_INTERFACES)
                        .map(Measurements::network)
                        .toList(),
                size(stats.getMemoryTotalBytes()),
                size(stats.getMemoryAvailableBytes()),
                stats.hasScratch() ? Optional.of(scratch(stats.getScratch())) : Optional.empty());
    }

    private static Container container(ContainerId id, ContainerUse use) {
        var layer = use.getWritableLayer();
        var open = use.getOpenFiles();
        return new Container(
                id,
                group(use.getCgroup()),
                use.hasWritableLayer()
                        ? Optional.of(new Files(size(layer.getBytes()), size(layer.getInodes())))
                        : Optional.empty(),
                use.hasOpenFiles()
                        ? Optional.of(
                                new OpenFiles(
                                        size(open.getFiles()),
                                        size(open.getSockets()),
                                        open.hasMaxOpenFiles()
                                                ? Optional.of(size(open.getMaxOpenFiles()))
                                                : Optional.empty()))
                        : Optional.empty());
    }

    private static Group group(CgroupUse use) {
        return new Group(
                cpu(use.getCpu()),
                memory(use.getMemory()),
                use.getDevicesList().stream()
                        .limit(MOST_DEVICES)
                        .map(Measurements::device)
                        .toList(),
                use.hasCpuPressure()
                        ? Optional.of(pressure(use.getCpuPressure()))
                        : Optional.empty(),
                use.hasMemoryPressure()
                        ? Optional.of(pressure(use.getMemoryPressure()))
                        : Optional.empty(),
                use.hasIoPressure() ? Optional.of(pressure(use.getIoPressure())) : Optional.empty(),
                size(use.getProcesses()),
                size(use.getThreads()),
                size(use.getThreadsMax()));
    }

    private static Cpu cpu(CpuUse use) {
        return new Cpu(
                size(use.getUsageUs()),
                size(use.getUserUs()),
                size(use.getSystemUs()),
                size(use.getPeriods()),
                size(use.getThrottledPeriods()),
                size(use.getThrottledUs()));
    }

    private static Memory memory(MemoryUse use) {
        return new Memory(
                size(use.getUsageBytes()),
                size(use.getMaxBytes()),
                size(use.getMinBytes()),
                size(use.getAnonBytes()),
                size(use.getFileBytes()),
                size(use.getActiveFileBytes()),
                size(use.getInactiveFileBytes()),
                size(use.getMappedFileBytes()),
                size(use.getKernelBytes()),
                size(use.getSwapBytes()),
                size(use.getPeakBytes()),
                size(use.getPageFaults()),
                size(use.getMajorPageFaults()),
                size(use.getLimitHits()),
                size(use.getOomKills()));
    }

    private static Device device(DeviceUse use) {
        return new Device(
                Math.max(0, use.getMajor()),
                Math.max(0, use.getMinor()),
                name(use.getName()),
                size(use.getReadBytes()),
                size(use.getWrittenBytes()),
                size(use.getReads()),
                size(use.getWrites()));
    }

    private static Pressure pressure(PressureUse use) {
        return new Pressure(waited(use.getSome()), waited(use.getFull()));
    }

    private static Waited waited(podvm.proto.agent.v1.Pressure use) {
        return new Waited(
                percent(use.getAvg10()),
                percent(use.getAvg60()),
                percent(use.getAvg300()),
                size(use.getTotalUs()));
    }

    private static double percent(int hundredths) {
        return Math.clamp(hundredths, 0, WHOLE) / HUNDREDTHS;
    }

    private static Interface network(InterfaceUse use) {
        return new Interface(
                name(use.getName()),
                size(use.getReceivedBytes()),
                size(use.getReceivedPackets()),
                size(use.getReceiveErrors()),
                size(use.getReceiveDrops()),
                size(use.getSentBytes()),
                size(use.getSentPackets()),
                size(use.getSendErrors()),
                size(use.getSendDrops()));
    }

    private static Scratch scratch(ScratchUse use) {
        return new Scratch(
                name(use.getDevice()),
                size(use.getTotalBytes()),
                size(use.getFreeBytes()),
                size(use.getTotalInodes()),
                size(use.getFreeInodes()));
    }

    private static String name(String text) {
        var clean = GuestText.clean(text);
        return clean.length() > LONGEST_NAME ? clean.substring(0, LONGEST_NAME) : clean;
    }
}
