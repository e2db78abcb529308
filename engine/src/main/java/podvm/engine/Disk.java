package podvm.engine;

import java.nio.file.Path;

/**
 * A raw block device of a machine.
 *
 * @param serial how the guest finds it: at most 31 letters and digits (SCSI VPD page 0x80)
 */
public record Disk(String serial, Path file, Access access, Kind kind) {
    /** A file of the pod or of the node. */
    public Disk(String serial, Path file, Access access) {
        this(serial, file, access, Kind.FILE);
    }

    public enum Access {
        READ_ONLY,
        READ_WRITE
    }

    public enum Kind {
        /** What is written to it dies with the pod. */
        FILE,
        /** A block device of the host, which outlives the pod: what the guest flushes is kept. */
        DEVICE
    }
}
