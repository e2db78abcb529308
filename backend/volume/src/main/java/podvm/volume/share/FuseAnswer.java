package podvm.volume.share;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import podvm.linux.FileStat;
import podvm.linux.FileSystemSpace;

/** An answer being written: room for its header, which is filled in when it is complete. */
final class FuseAnswer {
    static final int HEADER = 16;

    /** struct fuse_attr. */
    static final int ATTRIBUTES = 88;

    /** struct fuse_entry_out. */
    static final int ENTRY = 40 + ATTRIBUTES;

    private final ByteBuffer bytes;

    private FuseAnswer(byte[] bytes, int position) {
        this.bytes = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).position(position);
    }

    /** With room for a body of at most so many bytes. */
    static FuseAnswer ofAtMost(int body) {
        return new FuseAnswer(new byte[HEADER + body], HEADER);
    }

    static FuseAnswer empty() {
        return ofAtMost(0);
    }

    /** Of bytes that begin with room for the header. */
    static FuseAnswer of(byte[] headerAndBody) {
        return new FuseAnswer(headerAndBody, headerAndBody.length);
    }

    static byte[] error(long unique, int errno) {
        var answer = empty();
        answer.bytes.putInt(4, -errno);
        return answer.finish(unique);
    }

    byte[] finish(long unique) {
        var length = bytes.position();
        bytes.putInt(0, length).putLong(8, unique);
        if (length == bytes.array().length) {
            return bytes.array();
        }
        return java.util.Arrays.copyOf(bytes.array(), length);
    }

    int room() {
        return bytes.remaining();
    }

    boolean hasBody() {
        return bytes.position() > HEADER;
    }

    FuseAnswer u16(int value) {
        bytes.putShort((short) value);
        return this;
    }

    FuseAnswer u32(int value) {
        bytes.putInt(value);
        return this;
    }

    FuseAnswer u64(long value) {
        bytes.putLong(value);
        return this;
    }

    FuseAnswer data(byte[] data) {
        bytes.put(data);
        return this;
    }

    /** struct fuse_entry_out; a node of 0 says that nothing more is known than the name. */
    FuseAnswer entry(long node, FileStat stat, Owners owners) {
        u64(node).u64(0);
        validity(Freshness.entry(stat), Freshness.attributes(stat));
        return attributes(stat, owners);
    }

    private void validity(int entryNanos, int attributeNanos) {
        u64(0).u64(0).u32(entryNanos).u32(attributeNanos);
    }

    FuseAnswer noEntry() {
        return data(new byte[ENTRY]);
    }

    /** struct fuse_attr_out. */
    FuseAnswer validAttributes(FileStat stat, Owners owners) {
        u64(0).u32(Freshness.attributes(stat)).u32(0);
        return attributes(stat, owners);
    }

    private FuseAnswer attributes(FileStat stat, Owners owners) {
        u64(stat.inode()).u64(stat.size()).u64(stat.blocks());
        u64(stat.accessed().seconds());
        u64(stat.modified().seconds());
        u64(stat.changed().seconds());
        u32(stat.accessed().nanos()).u32(stat.modified().nanos()).u32(stat.changed().nanos());
        u32(stat.mode()).u32(stat.links());
        u32(owners.shownUser(stat.uid())).u32(owners.shownGroup(stat.gid()));
        return u32(stat.rdev()).u32(stat.blockSize()).u32(0);
    }

    /** struct fuse_dirent, padded to eight bytes. */
    FuseAnswer directoryEntry(long inode, long next, int type, byte[] name) {
        u64(inode).u64(next).u32(name.length).u32(type).data(name);
        return data(new byte[-name.length & 7]);
    }

    static int directoryEntryBytes(byte[] name) {
        return 24 + ((name.length + 7) & ~7);
    }

    /** struct fuse_statfs_out. */
    FuseAnswer space(FileSystemSpace space) {
        u64(space.blocks()).u64(space.free()).u64(space.available());
        u64(space.files()).u64(space.filesFree());
        u32((int) space.blockSize()).u32((int) space.nameLength()).u32((int) space.fragmentSize());
        return data(new byte[4 + 6 * 4]);
    }
}
