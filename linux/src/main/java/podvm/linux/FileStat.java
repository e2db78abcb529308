package podvm.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;

/**
 * What statx tells of a file. Ids and the mode are unsigned.
 *
 * @param born zero where the file system does not keep it
 */
public record FileStat(
        long device,
        long inode,
        int mode,
        int links,
        int uid,
        int gid,
        int rdev,
        long size,
        long blocks,
        int blockSize,
        Time accessed,
        Time modified,
        Time changed,
        Time born) {
    public static final int TYPE = 0170000;
    public static final int SOCKET = 0140000;
    public static final int SYMLINK = 0120000;
    public static final int REGULAR = 0100000;
    public static final int BLOCK = 0060000;
    public static final int DIRECTORY = 0040000;
    public static final int CHARACTER = 0020000;
    public static final int FIFO = 0010000;

    static final int BYTES = 256;
    static final int BASIC_AND_BORN = 0x7ff | 0x800;

    /** Seconds since 1970 and nanoseconds. */
    public record Time(long seconds, int nanos) {}

    public boolean is(int type) {
        return (mode & TYPE) == type;
    }

    /** struct statx of linux/stat.h. */
    static FileStat of(MemorySegment statx) {
        var major = statx.get(JAVA_INT, 128);
        var minor = statx.get(JAVA_INT, 132);
        return new FileStat(
                ((long) statx.get(JAVA_INT, 136) << 32)
                        | Integer.toUnsignedLong(statx.get(JAVA_INT, 140)),
                statx.get(JAVA_LONG, 32),
                Short.toUnsignedInt(statx.get(JAVA_SHORT, 28)),
                statx.get(JAVA_INT, 16),
                statx.get(JAVA_INT, 20),
                statx.get(JAVA_INT, 24),
                // new_encode_dev of linux/kdev_t.h, which FUSE uses
                (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12),
                statx.get(JAVA_LONG, 40),
                statx.get(JAVA_LONG, 48),
                statx.get(JAVA_INT, 4),
                time(statx, 64),
                time(statx, 112),
                time(statx, 96),
                time(statx, 80));
    }

    private static Time time(MemorySegment statx, long at) {
        return new Time(statx.get(JAVA_LONG, at), statx.get(JAVA_INT, at + 8));
    }
}
