package podvm.image.layer;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The inodes of one image, held in the 64 bytes each that will be written (the extended form,
 * fs/erofs/erofs_fs.h), so that two million of them take 128 MB. The 16 bytes that the format
 * reserves keep what is only needed until then.
 */
final class Inodes {
    static final int BYTES = 64;
    static final int NONE = -1;
    private static final int PER_CHUNK = 1024;

    private static final int MODE = 4;
    private static final int SIZE = 8;
    private static final int UNION = 16;
    private static final int NUMBER = 20;
    private static final int UID = 24;
    private static final int GID = 28;
    private static final int SECONDS = 32;
    private static final int NANOS = 40;
    private static final int LINKS = 44;
    private static final int RESERVED = 48;
    private static final int SLOT = 48;
    private static final int XATTRS = 52;
    private static final int FIRST_NAME = 56;
    private static final int DEPTH = 60;

    private static final VarHandle SHORT =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private byte[][] chunks = new byte[4][];
    private int count;

    int count() {
        return count;
    }

    /** A new inode without links, data, names or attributes. */
    int add(int mode) {
        int inode = count++;
        int chunk = inode / PER_CHUNK;
        if (chunk == chunks.length) {
            chunks = Arrays.copyOf(chunks, chunk * 2);
        }
        if (inode % PER_CHUNK == 0) {
            chunks[chunk] = new byte[PER_CHUNK * BYTES];
        }
        mode(inode, mode);
        setInt(inode, XATTRS, NONE);
        setInt(inode, FIRST_NAME, NONE);
        return inode;
    }

    int mode(int inode) {
        return (short) SHORT.get(chunk(inode), at(inode) + MODE) & 0xffff;
    }

    void mode(int inode, int mode) {
        SHORT.set(chunk(inode), at(inode) + MODE, (short) mode);
    }

    void owner(int inode, int uid, int gid) {
        setInt(inode, UID, uid);
        setInt(inode, GID, gid);
    }

    void time(int inode, long seconds, int nanos) {
        LONG.set(chunk(inode), at(inode) + SECONDS, seconds);
        setInt(inode, NANOS, nanos);
    }

    long size(int inode) {
        return (long) LONG.get(chunk(inode), at(inode) + SIZE);
    }

    void size(int inode, long size) {
        LONG.set(chunk(inode), at(inode) + SIZE, size);
    }

    /**
     * First data block of a file, number of a device; for the time being, a directory's parent and
     * the index of a symbolic link's target.
     */
    int place(int inode) {
        return getInt(inode, UNION);
    }

    void place(int inode, int value) {
        setInt(inode, UNION, value);
    }

    int links(int inode) {
        return getInt(inode, LINKS);
    }

    void links(int inode, int links) {
        setInt(inode, LINKS, links);
    }

    /** Where it will stand: in units of 32 bytes, as EROFS counts; 0 while it has no place. */
    int slot(int inode) {
        return getInt(inode, SLOT);
    }

    void slot(int inode, int slot) {
        setInt(inode, SLOT, slot);
    }

    int xattrs(int inode) {
        return getInt(inode, XATTRS);
    }

    void xattrs(int inode, int set) {
        setInt(inode, XATTRS, set);
    }

    int firstName(int inode) {
        return getInt(inode, FIRST_NAME);
    }

    void firstName(int inode, int name) {
        setInt(inode, FIRST_NAME, name);
    }

    int depth(int inode) {
        return getInt(inode, DEPTH);
    }

    void depth(int inode, int depth) {
        setInt(inode, DEPTH, depth);
    }

    /**
     * Writes the inode as the format wants it.
     *
     * @param layout 0: data in blocks of its own; 2: data follows the inode
     * @param union first block, or device number
     */
    void write(int inode, int layout, int union, int xattrUnits, int number, ByteBuffer target) {
        int start = target.position();
        target.put(chunk(inode), at(inode), RESERVED).putLong(0).putLong(0);
        target.putShort(start, (short) (1 | (layout << 1)));
        target.putShort(start + 2, (short) xattrUnits);
        target.putInt(start + UNION, union);
        target.putInt(start + NUMBER, number);
    }

    private int getInt(int inode, int field) {
        return (int) INT.get(chunk(inode), at(inode) + field);
    }

    private void setInt(int inode, int field, int value) {
        INT.set(chunk(inode), at(inode) + field, value);
    }

    private byte[] chunk(int inode) {
        return chunks[inode / PER_CHUNK];
    }

    private static int at(int inode) {
        return inode % PER_CHUNK * BYTES;
    }
}
