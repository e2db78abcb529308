package podvm.volume;

import static podvm.volume.Ext4Geometry.BLOCK;
import static podvm.volume.Ext4Geometry.BLOCKS_PER_GROUP;
import static podvm.volume.Ext4Geometry.DESCRIPTOR;
import static podvm.volume.Ext4Geometry.INODE;
import static podvm.volume.Ext4Geometry.INODES_PER_GROUP;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * Writes an empty ext4 file system into a sparse file: some ten blocks and the group descriptors,
 * whatever its size. Layout: Linux, Documentation/filesystems/ext4. It has no journal, since the
 * disk dies with its pod; and no checksums but those of the group descriptors, by which the kernel
 * knows that it may compute the bitmaps of untouched groups itself.
 */
final class Ext4Writer {
    private static final int COMPAT = 0x8 | 0x20 | 0x200; // ext_attr, dir_index, sparse_super2
    private static final int INCOMPAT = 0x2 | 0x40; // filetype, extents
    // sparse_super, large_file, huge_file, gdt_csum, dir_nlink, extra_isize
    private static final int RO_COMPAT = 0x1 | 0x2 | 0x8 | 0x10 | 0x20 | 0x40;

    private static final short INODE_UNINIT = 1;
    private static final short BLOCK_UNINIT = 2;
    private static final short TABLE_ZEROED = 4;

    private static final int ROOT_INODE = 2;
    private static final int FIRST_INODE = 11;
    private static final int DIRECTORIES = 2;
    private static final byte DIRECTORY = 2;
    private static final int EXTENTS_FLAG = 0x80000;

    private final FileChannel file;
    private final Ext4Geometry geometry;
    private final UUID uuid;

    private Ext4Writer(FileChannel file, Ext4Geometry geometry, UUID uuid) {
        this.file = file;
        this.geometry = geometry;
        this.uuid = uuid;
    }

    /**
     * @param file empty; becomes {@code bytes} long
     * @param uuid the file system's; all else is the same for the same size
     */
    static void write(FileChannel file, long bytes, UUID uuid) throws IOException {
        var writer = new Ext4Writer(file, Ext4Geometry.of(bytes), uuid);
        // the last byte makes it as long, and all between a hole
        writer.put(ByteBuffer.allocate(1), bytes - 1);
        writer.superblock();
        writer.descriptors();
        writer.bitmaps();
        writer.inodes();
        writer.directories();
    }

    private void superblock() throws IOException {
        var block = little(1024);
        block.putInt(0x00, geometry.groups() * INODES_PER_GROUP);
        block.putInt(0x04, (int) geometry.blocks());
        block.putInt(0x0c, (int) geometry.free());
        block.putInt(0x10, geometry.groups() * INODES_PER_GROUP - FIRST_INODE);
        block.putInt(0x18, 2); // block size: 1024 << 2
        block.putInt(0x1c, 2); // cluster size, the same
        block.putInt(0x20, BLOCKS_PER_GROUP);
        block.putInt(0x24, BLOCKS_PER_GROUP);
        block.putInt(0x28, INODES_PER_GROUP);
        block.putShort(0x36, (short) -1); // mounts before a check: no limit
        block.putShort(0x38, (short) 0xef53);
        block.putShort(0x3a, (short) 1); // clean
        block.putShort(0x3c, (short) 2); // on errors: read-only
        block.putInt(0x4c, 1); // revision with the fields that follow
        block.putInt(0x54, FIRST_INODE);
        block.putShort(0x58, (short) INODE);
        block.putInt(0x5c, COMPAT);
        block.putInt(0x60, INCOMPAT);
        block.putInt(0x64, RO_COMPAT);
        block.put(0x68, bytes(uuid));
        block.put(0x78, "scratch".getBytes(StandardCharsets.US_ASCII));
        block.put(0xec, bytes(hashSeed()));
        block.put(0xfc, (byte) 1); // directory hash: half MD4
        block.putInt(0x100, 0x4 | 0x8); // mount options: user_xattr, acl
        block.putShort(0x15c, (short) 32); // inode fields beyond the first 128 bytes
        block.putShort(0x15e, (short) 32);
        block.putInt(0x160, 2); // directory hash of unsigned characters
        put(block, 1024);
    }

    /** Secret to the guest's file names as the UUID is, and different from it. */
    private UUID hashSeed() {
        return UUID.nameUUIDFromBytes(bytes(uuid));
    }

    private void descriptors() throws IOException {
        var table = little(geometry.groups() * DESCRIPTOR);
        for (var group = 0; group < geometry.groups(); group++) {
            var first = group == 0;
            var descriptor = little(DESCRIPTOR);
            var freeInodes = INODES_PER_GROUP - (first ? FIRST_INODE : 0);
            descriptor.putInt(0x00, (int) geometry.blockBitmap(group));
            descriptor.putInt(0x04, (int) geometry.inodeBitmap(group));
            descriptor.putInt(0x08, (int) geometry.inodeTable(group));
            descriptor.putShort(0x0c, (short) geometry.freeIn(group));
            descriptor.putShort(0x0e, (short) freeInodes);
            descriptor.putShort(0x10, (short) (first ? DIRECTORIES : 0));
            descriptor.putShort(0x12, flags(group));
            descriptor.putShort(0x1c, (short) freeInodes); // never used, at the table's end
            descriptor.putShort(0x1e, checksum(group, descriptor));
            table.put(group * DESCRIPTOR, descriptor, 0, DESCRIPTOR);
        }
        put(table, BLOCK);
    }

    /** Holes read as zeros: the inode tables need no zeroing by the kernel. */
    private short flags(int group) {
        if (group == 0) {
            return TABLE_ZEROED;
        }
        var last = group == geometry.groups() - 1;
        return (short) (TABLE_ZEROED | INODE_UNINIT | (last ? 0 : BLOCK_UNINIT));
    }

    private short checksum(int group, ByteBuffer descriptor) {
        var crc = new Crc16();
        crc.update(bytes(uuid));
        crc.update(little(4).putInt(0, group).array());
        crc.update(descriptor.slice(0, 0x1e));
        return crc.value();
    }

    private void bitmaps() throws IOException {
        blockBitmap(0);
        if (geometry.groups() > 1) {
            blockBitmap(geometry.groups() - 1);
        }
        var inodes = little(BLOCK);
        fill(inodes, 0, FIRST_INODE);
        fill(inodes, INODES_PER_GROUP, BLOCK * 8);
        put(inodes, geometry.inodeBitmap(0) * BLOCK);
    }

    /** What lies beyond the end of the file system counts as used. */
    private void blockBitmap(int group) throws IOException {
        var bitmap = little(BLOCK);
        fill(bitmap, 0, geometry.usedIn(group));
        fill(bitmap, geometry.blocksIn(group), BLOCKS_PER_GROUP);
        put(bitmap, geometry.blockBitmap(group) * BLOCK);
    }

    private static void fill(ByteBuffer bitmap, int from, int to) {
        for (var bit = from; bit < to; bit++) {
            bitmap.put(bit / 8, (byte) (bitmap.get(bit / 8) | 1 << bit % 8));
        }
    }

    private void inodes() throws IOException {
        var table = little(BLOCK);
        directoryInode(table, ROOT_INODE, 0755, 3, geometry.rootDirectory());
        directoryInode(table, FIRST_INODE, 0700, 2, geometry.lostAndFound());
        put(table, geometry.inodeTable(0) * BLOCK);
    }

    private static void directoryInode(
            ByteBuffer table, int number, int mode, int links, long block) {
        var inode = little(INODE);
        inode.putShort(0x00, (short) (0040000 | mode));
        inode.putInt(0x04, BLOCK);
        inode.putShort(0x1a, (short) links);
        inode.putInt(0x1c, BLOCK / 512);
        inode.putInt(0x20, EXTENTS_FLAG);
        inode.putShort(0x28, (short) 0xf30a); // a leaf of one extent, room for four
        inode.putShort(0x2a, (short) 1);
        inode.putShort(0x2c, (short) 4);
        inode.putShort(0x38, (short) 1);
        inode.putInt(0x3c, (int) block);
        inode.putShort(0x80, (short) 32);
        table.put((number - 1) * INODE, inode, 0, INODE);
    }

    private void directories() throws IOException {
        var root = little(BLOCK);
        entry(root, 0, 12, ROOT_INODE, ".");
        entry(root, 12, 12, ROOT_INODE, "..");
        entry(root, 24, BLOCK - 24, FIRST_INODE, "lost+found");
        put(root, geometry.rootDirectory() * BLOCK);
        var lost = little(BLOCK);
        entry(lost, 0, 12, FIRST_INODE, ".");
        entry(lost, 12, BLOCK - 12, ROOT_INODE, "..");
        put(lost, geometry.lostAndFound() * BLOCK);
    }

    private static void entry(ByteBuffer block, int at, int length, int inode, String name) {
        block.putInt(at, inode);
        block.putShort(at + 4, (short) length);
        block.put(at + 6, (byte) name.length());
        block.put(at + 7, DIRECTORY);
        block.put(at + 8, name.getBytes(StandardCharsets.US_ASCII));
    }

    private void put(ByteBuffer bytes, long at) throws IOException {
        bytes.rewind();
        while (bytes.hasRemaining()) {
            file.write(bytes, at + bytes.position());
        }
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] bytes(UUID uuid) {
        return ByteBuffer.allocate(16)
                .putLong(uuid.getMostSignificantBits())
                .putLong(uuid.getLeastSignificantBits())
                .array();
    }
}
