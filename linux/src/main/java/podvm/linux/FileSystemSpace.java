package podvm.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/**
 * What fstatfs tells of a file system, in blocks.
 *
 * @param type its magic number (linux/magic.h)
 */
public record FileSystemSpace(
        long type,
        long blocks,
        long free,
        long available,
        long files,
        long filesFree,
        long blockSize,
        long nameLength,
        long fragmentSize) {
    static final int BYTES = 120;

    /** struct statfs as 64-bit Linux lays it out. */
    static FileSystemSpace of(MemorySegment statfs) {
        return new FileSystemSpace(
                statfs.get(JAVA_LONG, 0),
                statfs.get(JAVA_LONG, 16),
                statfs.get(JAVA_LONG, 24),
                statfs.get(JAVA_LONG, 32),
                statfs.get(JAVA_LONG, 40),
                statfs.get(JAVA_LONG, 48),
                statfs.get(JAVA_LONG, 8),
                statfs.get(JAVA_LONG, 64),
                statfs.get(JAVA_LONG, 72));
    }
}
