package podvm.engine.fake;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import podvm.engine.ContainerId;
import podvm.engine.GuestResources.Change;
import podvm.engine.GuestResources.Setting;
import podvm.engine.GuestStats;
import podvm.engine.MachineCost;

/** Numbers of a fake machine: those that a test sets, and zero. */
public final class FakeMeters {
    private final Map<ContainerId, Long> cpuMicros = new HashMap<>();
    private final Map<ContainerId, Long> memory = new HashMap<>();
    private final List<Change> changes = new ArrayList<>();
    private final List<Setting> podSettings = new ArrayList<>();
    private final Set<String> refused = new HashSet<>();
    private long machineCpuNanos;

    public synchronized void use(ContainerId container, long micros, long bytes) {
        cpuMicros.put(container, micros);
        memory.put(container, bytes);
    }

    public synchronized void machineUses(long cpuNanos) {
        machineCpuNanos = cpuNanos;
    }

    /** What was asked of running containers, oldest first. */
    public synchronized List<Change> changes() {
        return List.copyOf(changes);
    }

    /** What was asked of the pod, oldest first. */
    public synchronized List<Setting> podSettings() {
        return List.copyOf(podSettings);
    }

    /** From now on the guest's kernel does not take values of this file. */
    public synchronized void refuse(String file) {
        refused.add(file);
    }

    synchronized boolean refuses(String file) {
        return refused.contains(file);
    }

    synchronized void change(Change change) {
        changes.add(change);
    }

    synchronized void changePod(List<Setting> settings) {
        podSettings.addAll(settings);
    }

    synchronized MachineCost cost() {
        return new MachineCost(1, machineCpuNanos, 200 << 20, 100 << 20, 3);
    }

    /** Of these containers. */
    public synchronized GuestStats stats(Collection<ContainerId> containers) {
        var all = new ArrayList<GuestStats.Container>();
        long micros = 0;
        long bytes = 0;
        for (var id : containers) {
            long ownMicros = cpuMicros.getOrDefault(id, 0L);
            long ownBytes = memory.getOrDefault(id, 0L);
            all.add(
                    new GuestStats.Container(
                            id,
                            group(ownMicros, ownBytes),
                            Optional.of(new GuestStats.Files(8192, 2)),
                            Optional.of(new GuestStats.OpenFiles(5, 1, Optional.of(1024L)))));
            micros += ownMicros;
            bytes += ownBytes;
        }
        return new GuestStats(
                group(micros, bytes),
                List.copyOf(all),
                List.of(new GuestStats.Interface("eth0", 100, 10, 1, 2, 200, 20, 3, 4)),
                256L << 20,
                128L << 20,
                Optional.of(
                        new GuestStats.Scratch("/dev/sda", 1L << 30, 1L << 29, 65_536, 60_000)));
    }

    private static GuestStats.Group group(long micros, long bytes) {
        var pressure =
                new GuestStats.Pressure(
                        new GuestStats.Waited(1.5, 0.5, 0.1, 2_000_000),
                        new GuestStats.Waited(0, 0, 0, 1_000_000));
        return new GuestStats.Group(
                new GuestStats.Cpu(micros, micros / 2, micros / 2, 10, 2, 3_000_000),
                new GuestStats.Memory(
                        bytes, 0, 0, bytes / 2, bytes / 4, bytes / 8, bytes / 8, 0, 0, 0, bytes, 7,
                        1, 0, 0),
                List.of(new GuestStats.Device(8, 0, "/dev/sda", 4096, 8192, 1, 2)),
                Optional.of(pressure),
                Optional.of(pressure),
                Optional.of(pressure),
                1,
                2,
                0);
    }
}
