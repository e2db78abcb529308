package podvm.image.layer;

import java.util.List;
import podvm.image.content.Shown;

/**
 * One entry of a tar stream, with its PAX and GNU extensions applied.
 *
 * @param path bytes as they stand in the archive: no character set is assumed
 * @param link target of a symbolic or hard link; else empty
 * @param mode permission bits alone (07777)
 * @param stored bytes of data that follow in the archive
 * @param size length of the file; larger than {@code stored} where it is sparse
 * @param pieces offset and length, in pairs, of what is stored of a sparse file; empty for others
 */
public record TarEntry(
        byte[] path,
        byte[] link,
        Type type,
        int mode,
        int uid,
        int gid,
        long seconds,
        int nanos,
        long stored,
        long size,
        long[] pieces,
        int major,
        int minor,
        List<Xattr> xattrs) {
    public enum Type {
        FILE,
        HARD_LINK,
        SYMLINK,
        CHARACTER_DEVICE,
        BLOCK_DEVICE,
        DIRECTORY,
        FIFO
    }

    /** The name as a person can read it, for messages. */
    String shown() {
        return Shown.name(path);
    }
}
