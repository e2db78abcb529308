package podvm.image.layer;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * The names in all directories of one image: which inode each leads to, found by directory and
 * name. Columns of numbers instead of objects: about 25 bytes and the name itself for each.
 */
final class Names {
    static final int NONE = -1;
    private static final int POOL_CHUNK = 1 << 16;

    private int[] directory = new int[1024];
    private int[] inode = new int[1024];
    private int[] text = new int[1024];
    private int[] next = new int[1024];
    private int count;

    /** Each name as one byte for its length and the name itself, never across chunks. */
    private byte[][] pool = {new byte[POOL_CHUNK]};

    private int poolChunks = 1;
    private int poolAt;

    private int[] table = filled(4096);

    /** Unknown to whoever made the layer, so that names cannot be chosen to collide. */
    private final long seed = new SplittableRandom().nextLong() | 1;

    int count() {
        return count;
    }

    long textBytes() {
        return (long) (poolChunks - 1) * POOL_CHUNK + poolAt;
    }

    int find(int parent, Segment wanted) {
        int mask = table.length - 1;
        for (int at = hash(parent, wanted) & mask; ; at = (at + 1) & mask) {
            int name = table[at];
            if (name == NONE) {
                return NONE;
            }
            if (directory[name] == parent && segment(name).hasSameBytes(wanted)) {
                return name;
            }
        }
    }

    /** Adds a name that is not there yet; {@code following} is the next one of its directory. */
    int add(int parent, Segment added, int leadsTo, int following) {
        if (count == directory.length) {
            grow();
        }
        int name = count++;
        directory[name] = parent;
        inode[name] = leadsTo;
        next[name] = following;
        text[name] = keep(added);
        if (count * 2 > table.length) {
            rehash();
        } else {
            enter(name, hash(parent, added));
        }
        return name;
    }

    int inode(int name) {
        return inode[name];
    }

    void inode(int name, int leadsTo) {
        inode[name] = leadsTo;
    }

    int next(int name) {
        return next[name];
    }

    void next(int name, int following) {
        next[name] = following;
    }

    Segment segment(int name) {
        var chunk = pool[text[name] >>> 16];
        int from = (text[name] & 0xffff) + 1;
        return new Segment(chunk, from, from + (chunk[from - 1] & 0xff));
    }

    /** By unsigned bytes, a prefix first: the order that the kernel's search relies on. */
    int compare(int name, int other) {
        var one = segment(name);
        var two = segment(other);
        return Arrays.compareUnsigned(
                one.bytes(), one.from(), one.to(), two.bytes(), two.from(), two.to());
    }

    private int keep(Segment added) {
        int length = added.length();
        if (poolAt + 1 + length > POOL_CHUNK) {
            if (poolChunks == pool.length) {
                pool = Arrays.copyOf(pool, poolChunks * 2);
            }
            pool[poolChunks++] = new byte[POOL_CHUNK];
            poolAt = 0;
        }
        int at = ((poolChunks - 1) << 16) | poolAt;
        var chunk = pool[poolChunks - 1];
        chunk[poolAt] = (byte) length;
        System.arraycopy(added.bytes(), added.from(), chunk, poolAt + 1, length);
        poolAt += 1 + length;
        return at;
    }

    private void grow() {
        int size = count * 2;
        directory = Arrays.copyOf(directory, size);
        inode = Arrays.copyOf(inode, size);
        text = Arrays.copyOf(text, size);
        next = Arrays.copyOf(next, size);
    }

    private void rehash() {
        table = filled(table.length * 2);
        for (int name = 0; name < count; name++) {
            enter(name, hash(directory[name], segment(name)));
        }
    }

    private void enter(int name, int hash) {
        int mask = table.length - 1;
        int at = hash & mask;
        while (table[at] != NONE) {
            at = (at + 1) & mask;
        }
        table[at] = name;
    }

    private int hash(int parent, Segment text) {
        long hash = seed ^ parent;
        for (int at = text.from(); at < text.to(); at++) {
            hash = (hash ^ text.bytes()[at]) * seed;
            hash ^= hash >>> 29;
        }
        hash *= 0x9E37_79B9_7F4A_7C15L;
        return (int) (hash >>> 32);
    }

    private static int[] filled(int size) {
        var table = new int[size];
        Arrays.fill(table, NONE);
        return table;
    }
}
