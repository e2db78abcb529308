package podvm.machine.qemu;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.condition.EnabledIf;
import podvm.engine.Machine;
import podvm.engine.Machines;
import podvm.engine.PodException;
import podvm.machine.MachinesContract;
import podvm.machine.NodeCgroups;

@EnabledIf(
        value = "podvm.machine.qemu.Guest#isBuilt",
        disabledReason = "PODVM_GUEST names no directory with a vmlinux")
class QemuMachinesIT extends MachinesContract {
    @Override
    protected Machines machines(Path run, Path kernel, Path initramfs) throws PodException {
        return new QemuMachines(
                Guest.options(run, kernel, initramfs),
                new NodeCgroups(Path.of("/sys/fs/cgroup"), System.out::println));
    }

    @Override
    protected void forsake(Machines machines) {
        ((QemuMachines) machines).close();
    }

    @Override
    protected List<String> disks(Machine machine) throws PodException, InterruptedException {
        return ((QemuMachine) machine)
                .devices(soon()).stream()
                        .filter(name -> name.startsWith("disk-"))
                        .map(name -> name.substring("disk-".length()))
                        .toList();
    }

    @Override
    protected Path kernel() {
        return Guest.kernel();
    }
}
