package podvm.engine;

import java.util.List;

/**
 * A machine to boot.
 *
 * @param disks present from the start; more can be attached later
 */
public record MachineSpec(PodId pod, MachineSize size, List<Disk> disks, List<Nic> nics) {}
