package podvm.engine;

import java.util.List;
import java.util.Optional;

/**
 * A machine to boot.
 *
 * @param disks present from the start; more can be attached later
 * @param namespace whose machine it is, where templates are not shared by all; may be empty
 * @param group empty: its process stays in the daemon's cgroup
 */
public record MachineSpec(
        PodId pod,
        String namespace,
        MachineSize size,
        List<Disk> disks,
        List<Nic> nics,
        Optional<NodeGroup> group) {
    /** Of no namespace. */
    public MachineSpec(
            PodId pod,
            MachineSize size,
            List<Disk> disks,
            List<Nic> nics,
            Optional<NodeGroup> group) {
        this(pod, "", size, disks, nics, group);
    }
}
