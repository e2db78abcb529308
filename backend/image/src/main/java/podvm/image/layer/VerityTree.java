package podvm.image.layer;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import podvm.engine.Digest;
import podvm.image.content.Sha256;

/**
 * Writes the hash tree with which a guest's dm-verity checks each block of a disk as it reads it,
 * so that the root hash stands for the whole disk (kernel: Documentation/admin-guide/device-mapper
 * /verity.rst; the first block as cryptsetup writes it, format 1). Blocks of 4 KiB, SHA-256.
 *
 * <p>Salt and UUID follow from a digest, so the same disk gives the same tree everywhere.
 */
public final class VerityTree {
    private static final int BLOCK = BlockOutput.BLOCK;
    private static final int HASH = 32;
    private static final int PER_BLOCK = BLOCK / HASH;
    private static final int READ = 1 << 20;
    private static final byte[] ZEROS = new byte[BLOCK];

    private final FileChannel tree;
    private final byte[] salt;
    private final MessageDigest hash = Sha256.begin();
    private final byte[] ofZeros;
    private final Level[] levels;

    /** One height of the tree; a parent's block holds the hashes of 128 of its blocks. */
    private static final class Level {
        private final byte[] block = new byte[BLOCK];
        private int used;
        private long next;
    }

    private VerityTree(FileChannel tree, byte[] salt, long dataBlocks) {
        this.tree = tree;
        this.salt = salt;
        this.ofZeros = hashed(ZEROS, 0);
        int height = 0;
        for (long blocks = dataBlocks; blocks > 1; blocks = parents(blocks)) {
            height++;
        }
        levels = new Level[height];
        long blocks = dataBlocks;
        for (int at = 0; at < height; at++) {
            levels[at] = new Level();
            blocks = parents(blocks);
            levels[at].next = blocks;
        }
        // the highest stands first, behind the block that describes the tree
        long place = 1;
        for (int at = height - 1; at >= 0; at--) {
            long count = levels[at].next;
            levels[at].next = place;
            place += count;
        }
    }

    /**
     * Writes the tree from the file's beginning.
     *
     * @param disk a whole number of blocks, at least one
     * @param content what the salt is made of: the digest of the layer's tar
     * @return the root hash
     */
    public static Digest write(FileChannel disk, Digest content, FileChannel tree)
            throws IOException {
        long bytes = disk.size();
        if (bytes == 0 || bytes % BLOCK != 0) {
            throw new IOException(
                    "a disk of %d bytes has no whole number of blocks".formatted(bytes));
        }
        var salt = HexFormat.of().parseHex(content.hex());
        var writer = new VerityTree(tree, salt, bytes / BLOCK);
        writer.writeDescription(bytes / BLOCK);
        return writer.writeLevels(disk, bytes);
    }

    private void writeDescription(long dataBlocks) throws IOException {
        var block = ByteBuffer.allocate(BLOCK).order(ByteOrder.LITTLE_ENDIAN);
        block.put("verity\0\0".getBytes(StandardCharsets.US_ASCII)).putInt(1).putInt(1);
        block.put(uuid());
        block.put(32, "sha256".getBytes(StandardCharsets.US_ASCII));
        block.putInt(64, BLOCK).putInt(68, BLOCK).putLong(72, dataBlocks);
        block.putShort(80, (short) salt.length).put(88, salt);
        write(block.array(), 0);
    }

    /** Of the version for one's own purposes (RFC 9562, section 5.8). */
    private byte[] uuid() {
        var uuid = Arrays.copyOf(ofZeros, 16);
        uuid[6] = (byte) ((uuid[6] & 0x0f) | 0x80);
        uuid[8] = (byte) ((uuid[8] & 0x3f) | 0x80);
        return uuid;
    }

    private Digest writeLevels(FileChannel disk, long bytes) throws IOException {
        var buffer = ByteBuffer.allocate(READ);
        var root = ofZeros;
        for (long at = 0; at < bytes; at += READ) {
            int length = (int) Math.min(READ, bytes - at);
            read(disk, buffer.clear().limit(length), at);
            for (int block = 0; block < length; block += BLOCK) {
                root = add(0, hash(buffer.array(), block));
            }
        }
        for (int level = 0; level < levels.length; level++) {
            if (levels[level].used > 0) {
                root = finish(level);
            }
        }
        return new Digest(HexFormat.of().formatHex(root));
    }

    /** Takes a hash into a level; what the last full block above it hashes to, or itself. */
    private byte[] add(int at, byte[] hashed) throws IOException {
        if (at == levels.length) {
            return hashed;
        }
        var level = levels[at];
        System.arraycopy(hashed, 0, level.block, level.used * HASH, HASH);
        level.used++;
        return level.used == PER_BLOCK ? finish(at) : hashed;
    }

    private byte[] finish(int at) throws IOException {
        var level = levels[at];
        Arrays.fill(level.block, level.used * HASH, BLOCK, (byte) 0);
        write(level.block, level.next++);
        level.used = 0;
        return add(at + 1, hash(level.block, 0));
    }

    /** Holes are large: they need not be hashed block by block. */
    private byte[] hash(byte[] from, int at) {
        return Arrays.equals(from, at, at + BLOCK, ZEROS, 0, BLOCK) ? ofZeros : hashed(from, at);
    }

    private byte[] hashed(byte[] from, int at) {
        hash.update(salt);
        hash.update(from, at, BLOCK);
        return hash.digest();
    }

    private void write(byte[] block, long place) throws IOException {
        var buffer = ByteBuffer.wrap(block);
        while (buffer.hasRemaining()) {
            tree.write(buffer, place * BLOCK + buffer.position());
        }
    }

    private static void read(FileChannel disk, ByteBuffer buffer, long from) throws IOException {
        while (buffer.hasRemaining()) {
            if (disk.read(buffer, from + buffer.position()) < 0) {
                throw new EOFException("the disk became shorter while it was read");
            }
        }
    }

    private static long parents(long blocks) {
        return (blocks + PER_BLOCK - 1) / PER_BLOCK;
    }
}
