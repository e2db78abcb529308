package podvm.image.layer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * The first block of an image (fs/erofs/erofs_fs.h, struct erofs_super_block). It asks nothing of
 * the reader that Linux 6.1 does not know, and holds neither time nor identity: the same layer
 * gives the same bytes everywhere.
 */
record Superblock(int rootSlot, int inodes, int blocks, int metadataBlock) {
    private static final int OFFSET = 1024;
    private static final int MAGIC = 0xE0F5_E1E2;
    private static final int WITH_CHECKSUM = 1;
    private static final byte BLOCK_BITS = 12;

    byte[] encode() {
        var block = ByteBuffer.allocate(BlockOutput.BLOCK).order(ByteOrder.LITTLE_ENDIAN);
        block.putInt(OFFSET, MAGIC);
        block.putInt(OFFSET + 8, WITH_CHECKSUM);
        block.put(OFFSET + 12, BLOCK_BITS);
        block.putShort(OFFSET + 14, (short) rootSlot);
        block.putLong(OFFSET + 16, inodes);
        block.putInt(OFFSET + 36, blocks);
        block.putInt(OFFSET + 40, metadataBlock);
        block.putInt(OFFSET + 4, checksum(block.array()));
        return block.array();
    }

    /**
     * Of the rest of the block, its own field as zero; the kernel leaves out the last inversion.
     */
    private static int checksum(byte[] block) {
        var crc = new CRC32C();
        crc.update(block, OFFSET, block.length - OFFSET);
        return ~(int) crc.getValue();
    }
}
