package podvm.volume;

/**
 * Where an ext4 file system's parts are. Every block group begins with its own bitmaps and inode
 * table, and there are no copies of the superblock (sparse_super2 with no backup groups): so the
 * state of an untouched group follows from its number, and nothing of it need be written.
 *
 * @param blocks whole file system
 */
record Ext4Geometry(long blocks) {
    static final int BLOCK = 4096;
    static final int BLOCKS_PER_GROUP = 8 * BLOCK;
    static final int INODE = 256;
    // one inode per 16 KiB, as is usual
    static final int INODES_PER_GROUP = 8192;
    static final int TABLE_BLOCKS = INODES_PER_GROUP * INODE / BLOCK;
    static final int DESCRIPTOR = 32;

    /** A last group must hold its own metadata and be worth having. */
    private static final int LEAST_GROUP = 2 + TABLE_BLOCKS + 64;

    static Ext4Geometry of(long bytes) {
        var blocks = bytes / BLOCK;
        var rest = blocks % BLOCKS_PER_GROUP;
        return new Ext4Geometry(
                blocks > BLOCKS_PER_GROUP && rest > 0 && rest < LEAST_GROUP
                        ? blocks - rest
                        : blocks);
    }

    int groups() {
        return (int) ((blocks + BLOCKS_PER_GROUP - 1) / BLOCKS_PER_GROUP);
    }

    int blocksIn(int group) {
        return (int) Math.min(BLOCKS_PER_GROUP, blocks - firstBlock(group));
    }

    long firstBlock(int group) {
        return (long) group * BLOCKS_PER_GROUP;
    }

    int descriptorBlocks() {
        return (groups() * DESCRIPTOR + BLOCK - 1) / BLOCK;
    }

    /** The superblock's block and the descriptors precede the first group's bitmaps. */
    long blockBitmap(int group) {
        return firstBlock(group) + (group == 0 ? 1 + descriptorBlocks() : 0);
    }

    long inodeBitmap(int group) {
        return blockBitmap(group) + 1;
    }

    long inodeTable(int group) {
        return blockBitmap(group) + 2;
    }

    /** The two directories follow the first group's inode table. */
    long rootDirectory() {
        return inodeTable(0) + TABLE_BLOCKS;
    }

    long lostAndFound() {
        return rootDirectory() + 1;
    }

    /** Blocks in use from the group's beginning on. */
    int usedIn(int group) {
        return group == 0 ? (int) lostAndFound() + 1 : 2 + TABLE_BLOCKS;
    }

    int freeIn(int group) {
        return blocksIn(group) - usedIn(group);
    }

    long free() {
        var free = 0L;
        for (var group = 0; group < groups(); group++) {
            free += freeIn(group);
        }
        return free;
    }
}
