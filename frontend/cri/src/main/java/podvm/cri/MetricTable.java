package podvm.cri;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import podvm.engine.GuestStats;
import podvm.engine.GuestStats.Group;
import podvm.engine.GuestStats.Memory;
import podvm.engine.GuestStats.Pressure;
import podvm.engine.PodStats;
import podvm.engine.SandboxContainer;
import podvm.proto.cri.v1.MetricType;

/**
 * The metrics that are told, under the names that cAdvisor gave them in the kubelet's
 * /metrics/cadvisor. A number that the guest does not have makes no sample: none is made up.
 */
final class MetricTable {
    /** What dashboards select by; each metric's own labels follow. */
    static final List<String> LABELS =
            List.of("container", "id", "image", "name", "namespace", "pod");

    private static final long MICROS = 1_000_000;
    private static final long NANOS = 1_000_000_000;
    private static final long DEFAULT_CPU_PERIOD = 100_000;

    static final List<Metric<Subject>> OF_CONTAINER = ofContainer();
    static final List<Metric<PodStats>> OF_POD = ofPod();

    private MetricTable() {}

    /** A container that runs, with what was measured. */
    record Subject(SandboxContainer container, GuestStats.Container use, PodStats stats) {
        Group group() {
            return use.group();
        }

        Memory memory() {
            return group().memory();
        }
    }

    /**
     * @param labels beside {@link #LABELS}
     */
    record Metric<S>(
            String name,
            String help,
            MetricType type,
            List<String> labels,
            Function<S, Stream<Sample>> samples) {}

    record Sample(List<String> labels, long value) {
        static Stream<Sample> of(long value) {
            return Stream.of(new Sample(List.of(), value));
        }
    }

    private static final class Rows<S> {
        private final List<Metric<S>> rows = new ArrayList<>();

        Rows<S> counter(String name, String help, ToLongFunction<S> value) {
            return add(name, help, MetricType.COUNTER, value);
        }

        Rows<S> gauge(String name, String help, ToLongFunction<S> value) {
            return add(name, help, MetricType.GAUGE, value);
        }

        private Rows<S> add(String name, String help, MetricType type, ToLongFunction<S> value) {
            return add(
                    name, help, type, List.of(), subject -> Sample.of(value.applyAsLong(subject)));
        }

        Rows<S> add(
                String name,
                String help,
                MetricType type,
                List<String> labels,
                Function<S, Stream<Sample>> samples) {
            rows.add(new Metric<>(name, help, type, labels, samples));
            return this;
        }

        List<Metric<S>> all() {
            return List.copyOf(rows);
        }
    }

    private static List<Metric<Subject>> ofContainer() {
        var rows = new Rows<Subject>();
        cpu(rows);
        memory(rows);
        disks(rows);
        pressure(rows);
        processes(rows);
        specification(rows);
        return rows.all();
    }

    private static void cpu(Rows<Subject> rows) {
        rows.counter(
                        "container_cpu_usage_seconds_total",
                        "CPU time used, in seconds",
                        one -> one.group().cpu().usageMicros() / MICROS)
                .counter(
                        "container_cpu_user_seconds_total",
                        "CPU time used outside of the guest's kernel, in seconds",
                        one -> one.group().cpu().userMicros() / MICROS)
                .counter(
                        "container_cpu_system_seconds_total",
                        "CPU time used in the guest's kernel, in seconds",
                        one -> one.group().cpu().systemMicros() / MICROS)
                .counter(
                        "container_cpu_cfs_periods_total",
                        "Periods of the CPU limit that have passed",
                        one -> one.group().cpu().periods())
                .counter(
                        "container_cpu_cfs_throttled_periods_total",
                        "Periods in which the CPU limit was reached",
                        one -> one.group().cpu().throttledPeriods())
                .counter(
                        "container_cpu_cfs_throttled_seconds_total",
                        "Time in which the CPU limit held the container back, in seconds",
                        one -> one.group().cpu().throttledMicros() / MICROS);
    }

    private static void memory(Rows<Subject> rows) {
        rows.gauge(
                        "container_memory_usage_bytes",
                        "Memory used, page cache included",
                        one -> one.memory().usageBytes())
                .gauge(
                        "container_memory_working_set_bytes",
                        "Memory used that the kernel cannot give back at once",
                        one -> one.memory().workingSetBytes())
                .gauge("container_memory_rss", "Anonymous memory", one -> one.memory().anonBytes())
                .gauge("container_memory_cache", "Page cache", one -> one.memory().fileBytes())
                .gauge(
                        "container_memory_mapped_file",
                        "Files mapped into memory",
                        one -> one.memory().mappedFileBytes())
                .gauge(
                        "container_memory_kernel_usage",
                        "Memory of the guest's kernel for the container",
                        one -> one.memory().kernelBytes())
                .gauge(
                        "container_memory_swap",
                        "Swap used: a machine has none",
                        one -> one.memory().swapBytes())
                .gauge(
                        "container_memory_total_active_file_bytes",
                        "Page cache used of late",
                        one -> one.memory().activeFileBytes())
                .gauge(
                        "container_memory_total_inactive_file_bytes",
                        "Page cache not used of late",
                        one -> one.memory().inactiveFileBytes())
                .add(
                        "container_memory_max_usage_bytes",
                        "Most memory that was used at a time",
                        MetricType.GAUGE,
                        List.of(),
                        one -> known(one.memory().peakBytes()))
                .counter(
                        "container_memory_failcnt",
                        "How often the memory limit was about to be exceeded",
                        one -> one.memory().limitHits())
                .counter(
                        "container_oom_events_total",
                        "Processes killed for memory",
                        one -> one.memory().oomKills())
                .add(
                        "container_memory_failures_total",
                        "Page faults, minor and major ones",
                        MetricType.COUNTER,
                        List.of("failure_type", "scope"),
                        one -> faults(one.memory()));
    }

    private static Stream<Sample> known(long value) {
        return value > 0 ? Sample.of(value) : Stream.empty();
    }

    /** A container has no cgroups below its own that would be counted apart. */
    private static Stream<Sample> faults(Memory memory) {
        return Stream.of("container", "hierarchy")
                .flatMap(scope ->
                        Stream.of(
                                new Sample(List.of("pgfault", scope), memory.pageFaults()),
                                new Sample(
                                        List.of("pgmajfault", scope), memory.majorPageFaults())));
    }

    private static void disks(Rows<Subject> rows) {
        perDevice(
                rows,
                "container_fs_reads_bytes_total",
                "Bytes read from a disk",
                GuestStats.Device::readBytes);
        perDevice(
                rows,
                "container_fs_writes_bytes_total",
                "Bytes written to a disk",
                GuestStats.Device::writtenBytes);
        perDevice(rows, "container_fs_reads_total", "Reads from a disk", GuestStats.Device::reads);
        perDevice(rows, "container_fs_writes_total", "Writes to a disk", GuestStats.Device::writes);
        rows.add(
                "container_blkio_device_usage_total",
                "Bytes read from and written to a disk",
                MetricType.COUNTER,
                List.of("device", "major", "minor", "operation"),
                MetricTable::blockIo);
        perScratch(
                rows,
                "container_fs_limit_bytes",
                "Size of the disk that the pod's containers write on",
                (_, disk) -> Sample.of(disk.totalBytes()));
        perScratch(
                rows,
                "container_fs_inodes_total",
                "Inodes of the disk that the pod's containers write on",
                (_, disk) -> Sample.of(disk.totalInodes()));
        perScratch(
                rows,
                "container_fs_inodes_free",
                "Free inodes of the disk that the pod's containers write on",
                (_, disk) -> Sample.of(disk.freeInodes()));
        perScratch(
                rows,
                "container_fs_usage_bytes",
                "What the container wrote into its own root file system",
                (one, _) ->
                        one.use().writableLayer().stream()
                                .flatMap(files -> Sample.of(files.bytes())));
    }

    private static void perDevice(
            Rows<Subject> rows, String name, String help, ToLongFunction<GuestStats.Device> value) {
        rows.add(
                name,
                help,
                MetricType.COUNTER,
                List.of("device"),
                one ->
                        one.group().devices().stream()
                                .map(disk ->
                                        new Sample(List.of(disk.name()), value.applyAsLong(disk))));
    }

    private static Stream<Sample> blockIo(Subject one) {
        return one.group().devices().stream()
                .flatMap(disk -> {
                    var major = Integer.toString(disk.major());
                    var minor = Integer.toString(disk.minor());
                    return Stream.of(
                            new Sample(
                                    List.of(disk.name(), major, minor, "Read"), disk.readBytes()),
                            new Sample(
                                    List.of(disk.name(), major, minor, "Write"),
                                    disk.writtenBytes()));
                });
    }

    private interface OfScratch {
        Stream<Sample> samples(Subject one, GuestStats.Scratch disk);
    }

    private static void perScratch(Rows<Subject> rows, String name, String help, OfScratch value) {
        rows.add(
                name,
                help,
                MetricType.GAUGE,
                List.of("device"),
                one ->
                        one.stats().guest().scratch().stream()
                                .flatMap(disk ->
                                        value.samples(one, disk)
                                                .map(sample ->
                                                        new Sample(
                                                                List.of(disk.device()),
                                                                sample.value()))));
    }

    private static void pressure(Rows<Subject> rows) {
        waits(rows, "cpu", "the CPU", Group::cpuPressure);
        waits(rows, "memory", "memory", Group::memoryPressure);
        waits(rows, "io", "disks", Group::ioPressure);
    }

    private static void waits(
            Rows<Subject> rows,
            String resource,
            String what,
            Function<Group, Optional<Pressure>> pressure) {
        var prefix = "container_pressure_" + resource;
        rows.add(
                prefix + "_waiting_seconds_total",
                "Time in which some process waited for " + what + ", in seconds",
                MetricType.COUNTER,
                List.of(),
                one ->
                        pressure.apply(one.group()).stream()
                                .flatMap(p -> Sample.of(p.some().totalMicros() / MICROS)));
        rows.add(
                prefix + "_stalled_seconds_total",
                "Time in which all processes waited for " + what + ", in seconds",
                MetricType.COUNTER,
                List.of(),
                one ->
                        pressure.apply(one.group()).stream()
                                .flatMap(p -> Sample.of(p.full().totalMicros() / MICROS)));
    }

    private static void processes(Rows<Subject> rows) {
        rows.gauge("container_processes", "Processes", one -> one.group().processes())
                .gauge("container_threads", "Threads", one -> one.group().threads())
                .gauge(
                        "container_threads_max",
                        "Most threads that there may be; 0: not limited",
                        one -> one.group().threadsMax())
                .add(
                        "container_file_descriptors",
                        "Open files",
                        MetricType.GAUGE,
                        List.of(),
                        one -> open(one, open -> Sample.of(open.files())))
                .add(
                        "container_sockets",
                        "Open sockets",
                        MetricType.GAUGE,
                        List.of(),
                        one -> open(one, open -> Sample.of(open.sockets())))
                .add(
                        "container_ulimits_soft",
                        "Soft limits of the container's first process",
                        MetricType.GAUGE,
                        List.of("ulimit"),
                        one -> open(one, MetricTable::ulimits))
                .gauge(
                        "container_last_seen",
                        "When it was measured, in seconds since 1970",
                        one -> one.stats().at().getEpochSecond())
                .add(
                        "container_start_time_seconds",
                        "When it was started, in seconds since 1970",
                        MetricType.GAUGE,
                        List.of(),
                        one ->
                                one.container().started().stream()
                                        .map(Instant::getEpochSecond)
                                        .flatMap(Sample::of));
    }

    private static Stream<Sample> open(
            Subject one, Function<GuestStats.OpenFiles, Stream<Sample>> samples) {
        return one.use().openFiles().stream().flatMap(samples);
    }

    private static Stream<Sample> ulimits(GuestStats.OpenFiles open) {
        return open.max().stream().map(most -> new Sample(List.of("max_open_files"), most));
    }

    private static void specification(Rows<Subject> rows) {
        rows.gauge(
                        "container_spec_cpu_period",
                        "Period of the CPU limit, in microseconds",
                        one -> {
                            long period = one.container().config().resources().cpuPeriodMicros();
                            return period > 0 ? period : DEFAULT_CPU_PERIOD;
                        })
                .add(
                        "container_spec_cpu_quota",
                        "CPU time in a period, in microseconds",
                        MetricType.GAUGE,
                        List.of(),
                        one -> known(one.container().config().resources().cpuQuotaMicros()))
                .add(
                        "container_spec_cpu_shares",
                        "Share of CPU time among containers",
                        MetricType.GAUGE,
                        List.of(),
                        one -> known(one.container().config().resources().cpuShares()))
                .gauge(
                        "container_spec_memory_limit_bytes",
                        "Memory limit; 0: none",
                        one -> one.memory().maxBytes())
                .gauge(
                        "container_spec_memory_reservation_limit_bytes",
                        "Memory that is not taken away; 0: none",
                        one -> one.memory().minBytes())
                .gauge(
                        "container_spec_memory_swap_limit_bytes",
                        "Swap that may be used: a machine has none",
                        _ -> 0);
    }

    private static List<Metric<PodStats>> ofPod() {
        var rows = new Rows<PodStats>();
        perInterface(rows, "receive_bytes", "Bytes received", GuestStats.Interface::receivedBytes);
        perInterface(
                rows, "receive_packets", "Packets received", GuestStats.Interface::receivedPackets);
        perInterface(
                rows,
                "receive_errors",
                "Errors while receiving",
                GuestStats.Interface::receiveErrors);
        perInterface(
                rows,
                "receive_packets_dropped",
                "Packets dropped while receiving",
                GuestStats.Interface::receiveDrops);
        perInterface(rows, "transmit_bytes", "Bytes sent", GuestStats.Interface::sentBytes);
        perInterface(rows, "transmit_packets", "Packets sent", GuestStats.Interface::sentPackets);
        perInterface(
                rows, "transmit_errors", "Errors while sending", GuestStats.Interface::sendErrors);
        perInterface(
                rows,
                "transmit_packets_dropped",
                "Packets dropped while sending",
                GuestStats.Interface::sendDrops);
        // what the pod costs the node, under the names that its containers' shares have
        ofMachine(
                rows,
                "container_cpu_usage_seconds_total",
                MetricType.COUNTER,
                cost -> cost.cpuNanos() / NANOS);
        ofMachine(
                rows,
                "container_memory_usage_bytes",
                MetricType.GAUGE,
                podvm.engine.MachineCost::pssBytes);
        ofMachine(
                rows,
                "container_memory_working_set_bytes",
                MetricType.GAUGE,
                podvm.engine.MachineCost::pssBytes);
        ofMachine(
                rows, "container_memory_rss", MetricType.GAUGE, podvm.engine.MachineCost::rssBytes);
        return rows.all();
    }

    private static void perInterface(
            Rows<PodStats> rows,
            String what,
            String help,
            ToLongFunction<GuestStats.Interface> value) {
        rows.add(
                "container_network_" + what + "_total",
                help,
                MetricType.COUNTER,
                List.of("interface"),
                stats ->
                        stats.guest().interfaces().stream()
                                .map(one ->
                                        new Sample(List.of(one.name()), value.applyAsLong(one))));
    }

    private static void ofMachine(
            Rows<PodStats> rows,
            String name,
            MetricType type,
            ToLongFunction<podvm.engine.MachineCost> value) {
        rows.add(
                name,
                "described with the containers' metric",
                type,
                List.of(),
                stats ->
                        stats.machine().stream()
                                .flatMap(cost -> Sample.of(value.applyAsLong(cost))));
    }
}
