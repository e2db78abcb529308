package podvm.engine;

import java.util.List;
import java.util.Optional;

/**
 * What the containers of one machine use at one moment, as the guest's kernel counts it in cgroup
 * v2: the guest's own word, which nothing on the host depends on.
 *
 * @param pod all containers together
 * @param containers those that were not removed, also ended ones
 * @param memoryTotalBytes of the machine as its kernel has it
 * @param memoryAvailableBytes what the machine could still give to programs
 * @param scratch the disk that containers write on; empty where the guest does not tell
 */
public record GuestStats(
        Group pod,
        List<Container> containers,
        List<Interface> interfaces,
        long memoryTotalBytes,
        long memoryAvailableBytes,
        Optional<Scratch> scratch) {

    /**
     * @param writableLayer empty where it was not counted yet
     * @param openFiles empty where it was not asked for, or nothing runs
     */
    public record Container(
            ContainerId id,
            Group group,
            Optional<Files> writableLayer,
            Optional<OpenFiles> openFiles) {}

    /**
     * Processes that are counted together.
     *
     * @param cpuPressure empty, as the others, where the kernel does not measure it
     * @param threadsMax 0: not limited
     */
    public record Group(
            Cpu cpu,
            Memory memory,
            List<Device> devices,
            Optional<Pressure> cpuPressure,
            Optional<Pressure> memoryPressure,
            Optional<Pressure> ioPressure,
            long processes,
            long threads,
            long threadsMax) {}

    /** Counted since the start. */
    public record Cpu(
            long usageMicros,
            long userMicros,
            long systemMicros,
            long periods,
            long throttledPeriods,
            long throttledMicros) {}

    /**
     * @param maxBytes 0: not limited
     * @param peakBytes 0: not known
     * @param limitHits how often it was about to exceed its limit
     */
    public record Memory(
            long usageBytes,
            long maxBytes,
            long minBytes,
            long anonBytes,
            long fileBytes,
            long activeFileBytes,
            long inactiveFileBytes,
            long mappedFileBytes,
            long kernelBytes,
            long swapBytes,
            long peakBytes,
            long pageFaults,
            long majorPageFaults,
            long limitHits,
            long oomKills) {
        /** What the kernel cannot give back at once, as the kubelet counts it. */
        public long workingSetBytes() {
            return Math.max(0, usageBytes - inactiveFileBytes);
        }
    }

    /**
     * @param name "/dev/sda"; empty where it has none
     */
    public record Device(
            int major,
            int minor,
            String name,
            long readBytes,
            long writtenBytes,
            long reads,
            long writes) {}

    /** Time in which some, or all, processes waited for a resource. */
    public record Pressure(Waited some, Waited full) {}

    /**
     * @param avg10 percent of the last ten seconds; likewise 60 and 300
     */
    public record Waited(double avg10, double avg60, double avg300, long totalMicros) {}

    public record Files(long bytes, long inodes) {}

    /**
     * @param max what the container's first process may open; empty: not limited
     */
    public record OpenFiles(long files, long sockets, Optional<Long> max) {}

    public record Interface(
            String name,
            long receivedBytes,
            long receivedPackets,
            long receiveErrors,
            long receiveDrops,
            long sentBytes,
            long sentPackets,
            long sendErrors,
            long sendDrops) {}

    public record Scratch(
            String device, long totalBytes, long freeBytes, long totalInodes, long freeInodes) {}
}
