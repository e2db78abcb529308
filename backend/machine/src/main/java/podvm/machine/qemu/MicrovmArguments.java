package podvm.machine.qemu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import podvm.engine.MachineSize;
import podvm.engine.MachineSpec;
import podvm.engine.Nic;
import podvm.engine.PodException;
import podvm.machine.VmmProcesses;

/** QEMU's command line. What is peculiar to x86_64 is in {@link #board} alone. */
final class MicrovmArguments {
    private final List<String> arguments = new ArrayList<>();
    private final QemuOptions options;

    private MicrovmArguments(QemuOptions options) {
        this.options = options;
        arguments.add(options.binary().toString());
    }

    static List<String> of(
            QemuOptions options,
            MachineSpec spec,
            Headroom headroom,
            Memory memory,
            VmmDescriptors descriptors)
            throws PodException {
        var line = new MicrovmArguments(options);
        // the name finds the machine again; ps and top show the short one, 15 characters at most
        var process = "podvm-" + spec.pod().text().substring(0, 9);
        line.add("-name", VmmProcesses.name(spec.pod()) + ",process=" + process);
        line.board(headroom, memory);
        line.confinement();
        line.kernel(
                "/dev/fd/" + descriptors.kernel(),
                "/dev/fd/" + descriptors.initramfs(),
                headroom.kernelArguments());
        line.control(descriptors);
        line.console("socket,id=console,server=on,wait=off,fd=" + descriptors.console());
        line.agent(descriptors);
        line.disks(spec, descriptors);
        line.nics(spec.nics(), descriptors);
        line.memoryReturn(memory);
        line.moreMemory(headroom, memory);
        if (memory instanceof Memory.Copied) {
            line.add("-incoming", "defer");
        }
        return line.arguments;
    }

    /** A bare machine that only boots and writes to its standard output. */
    static List<String> probe(QemuOptions options, MachineSize size) throws PodException {
        var line = new MicrovmArguments(options);
        line.add("-name", "podvm-probe");
        line.board(Headroom.none(size), new Memory.Own());
        line.confinement();
        line.kernel(options.kernel().toString(), options.initramfs().toString(), List.of());
        line.add("-serial", "stdio");
        return line.arguments;
    }

    /** Without the size and what all have in common. */
    private static String backend(Memory memory) {
        var file = "memory-backend-file,mem-path=/dev/fd/" + VmmDescriptors.MEMORY;
        return switch (memory) {
            case Memory.Own _ -> "memory-backend-ram";
            case Memory.Shared _ -> file + ",share=on";
            case Memory.Copied _ -> file + ",share=off";
        };
    }

    private void board(Headroom headroom, Memory memory) {
        // acpi=on: distribution kernels find virtio-mmio devices only in ACPI's tables
        add("-M", "microvm,acpi=on,memory-backend=mem");
        var size = headroom.memoryMib() + "M";
        // dump=off: a core dump of the VMM does not hold the pod's memory
        add("-object", backend(memory) + ",id=mem,dump=off,size=" + size);
        add("-m", size);
        add("-smp", Integer.toString(headroom.vcpus()));
        switch (options.accelerator()) {
            case KVM -> {
                add("-accel", "kvm");
                add("-cpu", "host");
            }
            case TCG -> {
                // MiB of translated code kept. Where a pod's boot does not fit, all is thrown
                // away and translated again: with 32 that was every third block, 0.5 s of 3.5
                add("-accel", "tcg,tb-size=64");
                // With "enhanced rep movsb" the kernel clears and copies pages by the byte, which
                // is fast in a processor and a loop of 4096 rounds when emulated. Newer QEMU also
                // has
                // "fast short rep mov", without which Linux 6.1 expects the other: it hangs
                add("-cpu", "max,erms=off,fsrm=off");
            }
        }
        add("-global", "virtio-mmio.force-legacy=false");
        add("-nodefaults", "-no-user-config", "-no-reboot");
        add("-display", "none");
    }

    private void confinement() {
        add("-sandbox");
        add("on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    }

    private void kernel(String kernel, String initramfs, List<String> sized) throws PodException {
        add("-kernel", kernel);
        add("-initrd", initramfs);
        var more = new ArrayList<>(sized);
        more.addAll(options.kernelArguments());
        add("-append", KernelCommandLine.of(options.accelerator(), more));
    }

    /** The second monitor takes descriptors, which the JDK's sockets cannot send. */
    private void control(VmmDescriptors descriptors) {
        add("-chardev", "socket,id=qmp,server=on,wait=off,fd=" + descriptors.qmp());
        add("-mon", "chardev=qmp,mode=control");
        add("-chardev", "socket,id=fds,server=on,wait=off,fd=" + descriptors.passing());
        add("-mon", "chardev=fds,mode=control");
    }

    private void console(String chardev) {
        add("-chardev", chardev);
        add("-serial", "chardev:console");
    }

    private void agent(VmmDescriptors descriptors) {
        add("-device", "virtio-serial-device");
        add("-chardev", "socket,id=agent,server=on,wait=off,fd=" + descriptors.agent());
        add("-device", "virtserialport,chardev=agent,name=podvm.agent");
    }

    /** A template has none: the guest of a copy looks for its disks when it has become one. */
    private void disks(MachineSpec spec, VmmDescriptors descriptors) throws PodException {
        add("-device", "virtio-scsi-device,id=scsi0");
        for (var i = 0; i < spec.disks().size(); i++) {
            var disk = DiskArguments.of(spec.disks().get(i));
            var set = i + 1;
            var fd = descriptors.disk(i);
            add("-add-fd", "set=" + set + ",fd=" + fd + ",opaque=" + disk.node());
            add("-blockdev", Json.text(disk.blockdev(set)));
            add("-device", Json.text(disk.scsi()));
        }
    }

    /**
     * A device that is unplugged has no state that a copy would have to know. What the guest's
     * driver may hand over unfinished (checksums, large segments) was agreed upon by then, so it
     * must be what the copy's device can do: a tap stands in for a tap.
     */
    private void nics(List<Nic> nics, VmmDescriptors descriptors) {
        for (var i = 0; i < nics.size(); i++) {
            switch (nics.get(i)) {
                case Nic.User _ -> add("-netdev", "user,id=net" + i);
                case Nic.Unplugged(Nic.User _), Nic.Unplugged(Nic.Unplugged _) ->
                        add("-netdev", "hubport,hubid=0,id=net" + i);
                case Nic.Unplugged(Nic.Tap _), Nic.Tap _ ->
                        add("-netdev", "tap,id=net" + i + ",fd=" + descriptors.tap(i));
            }
            add("-device", "virtio-net-device,netdev=net" + i + ",mac=" + nics.get(i).mac());
        }
    }

    /**
     * The guest tells which pages it no longer uses, and the host gets them back. Not so with a
     * template's memory: QEMU would give back the pages of the file, which other machines share.
     */
    private void memoryReturn(Memory memory) {
        var reporting = memory instanceof Memory.Own ? "on" : "off";
        add("-device", "virtio-balloon-device,free-page-reporting=" + reporting);
    }

    /**
     * The device's own memory is never touched, it only gives the size: what the guest finds at the
     * address is the board's. microvm cannot place a second piece of memory itself.
     */
    private void moreMemory(Headroom headroom, Memory memory) {
        if (headroom.hasMemory()) {
            var size = headroom.room().memoryMib() + "M";
            // what is shared is no part of a machine's saved state
            var kind = memory instanceof Memory.Own ? "reserve=off" : "share=on";
            add(
                    "-object",
                    "memory-backend-ram,dump=off,"
                            + kind
                            + ",id="
                            + QemuGrowth.MEMORY
                            + ",size="
                            + size);
            add(
                    "-device",
                    "virtio-mem,requested-size=0,id="
                            + QemuGrowth.DEVICE
                            + ",memdev="
                            + QemuGrowth.MEMORY
                            + ",memaddr="
                            + headroom.address());
        }
    }

    private void add(String... words) {
        arguments.addAll(Arrays.asList(words));
    }
}
