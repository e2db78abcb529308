package podvm.engine;

import java.util.List;
import java.util.Optional;

/**
 * A machine to boot.
 *
 * @param disks present from the start; more can be attached later
 * @param group empty: its process stays in the daemon's cgroup
 */
public record MachineSpec(
        PodId pod, MachineSize size, List<Disk> disks, List<Nic> nics, Optional<NodeGroup> group) {}
