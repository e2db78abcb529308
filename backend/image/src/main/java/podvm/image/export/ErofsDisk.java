package podvm.image.export;

import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * Reads the EROFS images that this store writes: extended inodes, data in whole blocks or after the
 * inode, attributes after the inode (fs/erofs/erofs_fs.h). Names and values are one char per byte.
 */
public final class ErofsDisk implements AutoCloseable {
    private static final int BLOCK = 4096;
    private static final int SUPERBLOCK = 1024;
    private static final int MAGIC = 0xE0F5_E1E2;
    private static final int SLOT = 32;
    private static final int INODE = 64;
    private static final int XATTR_HEADER = 12;
    private static final int CHUNK = 1 << 20;
    static final int DIRECTORY = 0040000;

    /** What it writes; larger values would be another kind of image. */
    private static final List<String> ATTRIBUTE_SPACES =
            List.of(
                    "",
                    "user.",
                    "system.posix_acl_access",
                    "system.posix_acl_default",
                    "trusted.",
                    "",
                    "security.");

    private final Path file;
    private final FileChannel channel;
    private final long metadata;
    private final long root;
    private final long length;
    private byte[] window;
    private long windowStart;
    private int windowBytes;

    /**
     * @param place where data begins in the file; number of a device
     */
    record Node(
            long number,
            int mode,
            int uid,
            int gid,
            long seconds,
            int nanos,
            int links,
            long size,
            long place,
            SortedMap<String, String> attributes) {
        int type() {
            return mode & 0170000;
        }

        int major() {
            return (int) (place & 0xfff00) >> 8;
        }

        int minor() {
            return (int) ((place & 0xff) | ((place >> 12) & 0xfff00));
        }
    }

    record Entry(String name, long number) {}

    ErofsDisk(Path file) throws IOException {
        this(file, CHUNK);
    }

    /**
     * @param window bytes that are read at once, at least
     */
    ErofsDisk(Path file, int window) throws IOException {
        this.file = file;
        this.window = new byte[window];
        this.channel = FileChannel.open(file, StandardOpenOption.READ);
        this.length = channel.size();
        try {
            if (!beginsWhole(channel)) {
                throw damaged("its first block is wrong");
            }
            var block = ByteBuffer.wrap(bytes(0, BLOCK)).order(ByteOrder.LITTLE_ENDIAN);
            this.root = Short.toUnsignedLong(block.getShort(SUPERBLOCK + 14));
            this.metadata = Integer.toUnsignedLong(block.getInt(SUPERBLOCK + 40)) * BLOCK;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /** Whether the first block is one of an EROFS image and fits its own checksum. */
    public static boolean beginsWhole(FileChannel channel) throws IOException {
        var block = ByteBuffer.allocate(BLOCK).order(ByteOrder.LITTLE_ENDIAN);
        while (block.hasRemaining()) {
            if (channel.read(block, block.position()) < 0) {
                return false;
            }
        }
        int told = block.getInt(SUPERBLOCK + 4);
        block.putInt(SUPERBLOCK + 4, 0);
        var crc = new CRC32C();
        crc.update(block.array(), SUPERBLOCK, BLOCK - SUPERBLOCK);
        // the kernel leaves out the last inversion
        return block.getInt(SUPERBLOCK) == MAGIC && told == ~(int) crc.getValue();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    Node root() throws IOException {
        return node(root);
    }

    Node node(long number) throws IOException {
        long at = metadata + number * SLOT;
        var inode = ByteBuffer.wrap(bytes(at, INODE)).order(ByteOrder.LITTLE_ENDIAN);
        int layout = Short.toUnsignedInt(inode.getShort(0)) >> 1;
        boolean extended = (inode.getShort(0) & 1) == 1;
        if (!extended || (layout != 0 && layout != 2)) {
            throw damaged("inode %d has an unknown form".formatted(number));
        }
        int units = Short.toUnsignedInt(inode.getShort(2));
        int attributeBytes = units == 0 ? 0 : XATTR_HEADER + (units - 1) * 4;
        int mode = Short.toUnsignedInt(inode.getShort(4));
        long union = Integer.toUnsignedLong(inode.getInt(16));
        long place =
                isDevice(mode) ? union : layout == 2 ? at + INODE + attributeBytes : union * BLOCK;
        return new Node(
                number,
                mode,
                inode.getInt(24),
                inode.getInt(28),
                inode.getLong(32),
                inode.getInt(40),
                inode.getInt(44),
                inode.getLong(8),
                place,
                attributes(at + INODE, attributeBytes));
    }

    /** What a directory holds, in the order of the names' bytes, without itself and its parent. */
    List<Entry> entries(Node directory) throws IOException {
        var found = new ArrayList<Entry>();
        for (long block = 0; block < directory.size(); block += BLOCK) {
            int used = (int) Math.min(BLOCK, directory.size() - block);
            addEntries(bytes(directory.place() + block, used), found);
        }
        return found;
    }

    private void addEntries(byte[] block, List<Entry> found) throws IOException {
        var entries = ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN);
        int count = block.length < 12 ? 0 : Short.toUnsignedInt(entries.getShort(8)) / 12;
        if (count == 0 || count * 12 > block.length) {
            throw damaged("a directory has an unknown form");
        }
        for (int entry = 0; entry < count; entry++) {
            int from = Short.toUnsignedInt(entries.getShort(entry * 12 + 8));
            int to =
                    entry + 1 < count
                            ? Short.toUnsignedInt(entries.getShort(entry * 12 + 20))
                            : lastEnd(block, from);
            if (from > to || to > block.length) {
                throw damaged("a directory's names have no end");
            }
            var name = new String(block, from, to - from, StandardCharsets.ISO_8859_1);
            if (!name.equals(".") && !name.equals("..")) {
                found.add(new Entry(name, entries.getLong(entry * 12)));
            }
        }
    }

    /** The last name of a block ends with it or with a zero. */
    private static int lastEnd(byte[] block, int from) {
        int to = from;
        while (to < block.length && block[to] != 0) {
            to++;
        }
        return to;
    }

    String target(Node link) throws IOException {
        if (link.size() > BLOCK) {
            throw damaged("a symbolic link is too long");
        }
        return new String(bytes(link.place(), (int) link.size()), StandardCharsets.ISO_8859_1);
    }

    void copy(Node regular, OutputStream out) throws IOException {
        var buffer = ByteBuffer.allocate((int) Math.min(CHUNK, Math.max(1, regular.size())));
        for (long done = 0; done < regular.size(); ) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), regular.size() - done));
            int got = channel.read(buffer, regular.place() + done);
            if (got < 0) {
                throw damaged("a file goes on behind its end");
            }
            out.write(buffer.array(), 0, got);
            done += got;
        }
    }

    private static boolean isDevice(int mode) {
        int type = mode & 0170000;
        return type == 0020000 || type == 0060000;
    }

    private SortedMap<String, String> attributes(long start, int bytes) throws IOException {
        var found = new TreeMap<String, String>();
        if (bytes == 0) {
            return found;
        }
        var body = ByteBuffer.wrap(bytes(start, bytes)).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = XATTR_HEADER; at + 4 <= bytes; ) {
            int name = Byte.toUnsignedInt(body.get(at));
            int space = body.get(at + 1);
            int value = Short.toUnsignedInt(body.getShort(at + 2));
            boolean fits = at + 4 + name + value <= bytes;
            if (!fits || space < 1 || space >= ATTRIBUTE_SPACES.size()) {
                throw damaged("an extended attribute has an unknown form");
            }
            var text = new String(body.array(), at + 4, name + value, StandardCharsets.ISO_8859_1);
            found.put(ATTRIBUTE_SPACES.get(space) + text.substring(0, name), text.substring(name));
            at += (4 + name + value + 3) & ~3;
        }
        return found;
    }

    /** Metadata stands together, so that few reads serve many inodes. */
    private byte[] bytes(long start, int count) throws IOException {
        if (start < 0 || start + count > length) {
            throw damaged("it points behind its end");
        }
        if (start < windowStart || start + count > windowStart + windowBytes) {
            fill(start, count);
        }
        var part = new byte[count];
        System.arraycopy(window, (int) (start - windowStart), part, 0, count);
        return part;
    }

    private void fill(long start, int least) throws IOException {
        if (least > window.length) {
            window = new byte[least];
        }
        var buffer = ByteBuffer.wrap(window);
        windowBytes = 0;
        windowStart = start;
        while (windowBytes < least) {
            int got = channel.read(buffer, start + windowBytes);
            if (got < 0) {
                throw new EOFException(file + " ends early");
            }
            windowBytes += got;
        }
    }

    private IOException damaged(String why) {
        return new IOException("layer disk %s is damaged: %s".formatted(file, why));
    }
}
