package podvm.machine.qemu;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import podvm.engine.Disk;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.linux.Descriptor;

/**
 * How QEMU is told of a disk, alike at its start and while it runs. The file is opened by the
 * daemon and known to QEMU as a numbered set of descriptors: the VMM's user needs no right on any
 * disk, and cannot open another pod's.
 */
record DiskArguments(Disk disk) {
    /** QEMU's limit for a node's name, which must begin with a letter. */
    private static final Pattern SERIAL = Pattern.compile("[A-Za-z][A-Za-z0-9]{0,30}");

    static DiskArguments of(Disk disk) throws PodException {
        if (!SERIAL.matcher(disk.serial()).matches()) {
            throw new PodException(
                    Kind.INVALID,
                    "disk " + disk.file() + " has serial " + disk.serial(),
                    "use a letter and up to 30 letters and digits");
        }
        return new DiskArguments(disk);
    }

    Descriptor open() throws PodException {
        return switch (disk.access()) {
            case READ_ONLY -> Descriptor.readOnly(disk.file());
            case READ_WRITE -> Descriptor.readWrite(disk.file());
        };
    }

    String node() {
        return disk.serial();
    }

    String device() {
        return "disk-" + disk.serial();
    }

    /**
     * The block node. The file driver alone, no raw driver above it: one layer less per request.
     */
    Map<String, Object> blockdev(long descriptorSet) {
        var readOnly = disk.access() == Disk.Access.READ_ONLY;
        var arguments = new LinkedHashMap<String, Object>();
        var ofHost = disk.kind() == Disk.Kind.DEVICE;
        arguments.put("driver", ofHost ? "host_device" : "file");
        arguments.put("node-name", node());
        arguments.put("filename", "/dev/fdset/" + descriptorSet);
        arguments.put("read-only", readOnly);
        arguments.put("auto-read-only", false);
        // layer disks are shared by many machines, scratch disks belong to one by their name
        arguments.put("locking", "off");
        arguments.put("discard", readOnly ? "ignore" : "unmap");
        // the host's page cache is shared by the pods that use a layer; what is written dies with
        // the pod, so that a guest's flush need not reach the host's disk; a device of the host is
        // another's to trust
        arguments.put("cache", Map.of("direct", ofHost, "no-flush", !readOnly && !ofHost));
        return arguments;
    }

    /**
     * The SCSI disk. All are LUNs of one target: a guest asks a target once which LUNs it has, but
     * would have to probe 256 targets.
     */
    Map<String, Object> scsi() {
        var arguments = new LinkedHashMap<String, Object>();
        arguments.put("driver", "scsi-hd");
        arguments.put("id", device());
        arguments.put("bus", "scsi0.0");
        arguments.put("scsi-id", 0);
        arguments.put("drive", node());
        arguments.put("serial", disk.serial());
        // QEMU 10 refuses a serial of more than 20 characters where this is left to follow from it
        arguments.put("device_id", disk.serial());
        // one rotation per minute means none at all: a solid state disk (SBC-4, 6.6.6)
        arguments.put("rotation_rate", 1);
        return arguments;
    }
}
