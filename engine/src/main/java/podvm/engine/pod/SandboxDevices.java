package podvm.engine.pod;

import java.util.ArrayList;
import java.util.List;
import podvm.engine.Agent.MountPlan;
import podvm.engine.Agent.MountSource;
import podvm.engine.ContainerConfig;
import podvm.engine.Disk;
import podvm.engine.PodException;
import podvm.engine.Volumes;

/** Block devices of the host in a sandbox's containers: each is a disk of the machine. */
final class SandboxDevices {
    private final Volumes volumes;

    SandboxDevices(Volumes volumes) {
        this.volumes = volumes;
    }

    MountPlan plan(ContainerConfig.Device device) throws PodException {
        var disk = disk(device);
        return new MountPlan(
                device.containerPath(),
                new MountSource.DeviceFile(disk.serial()),
                disk.access() == Disk.Access.READ_ONLY,
                "");
    }

    /** All that must be attached for a container's devices. */
    List<Disk> disks(ContainerConfig config) throws PodException {
        var all = new ArrayList<Disk>();
        for (var device : config.devices()) {
            all.add(disk(device));
        }
        return all;
    }

    private Disk disk(ContainerConfig.Device device) throws PodException {
        var access =
                device.permissions().contains("w") ? Disk.Access.READ_WRITE : Disk.Access.READ_ONLY;
        return volumes.device(device.hostPath(), access);
    }
}
