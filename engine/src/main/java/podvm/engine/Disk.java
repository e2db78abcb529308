package podvm.engine;

import java.nio.file.Path;

/**
 * A raw block device of a machine.
 *
 * @param serial how the guest finds it: at most 31 letters and digits (SCSI VPD page 0x80)
 */
public record Disk(String serial, Path file, Access access) {
    public enum Access {
        READ_ONLY,
        READ_WRITE
    }
}
