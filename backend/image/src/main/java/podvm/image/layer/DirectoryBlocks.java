package podvm.image.layer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A directory as EROFS keeps it: blocks, each with fixed entries first and their names after them,
 * all sorted by bytes, "." and ".." among them (Documentation/filesystems/erofs.rst,
 * "Directories").
 */
final class DirectoryBlocks {
    private static final int ENTRY = 12;
    private static final Segment SELF = Segment.of(".");
    private static final Segment PARENT = Segment.of("..");

    private final Tree tree;
    private final Names names;
    private final Inodes inodes;
    private final ByteBuffer block =
            ByteBuffer.allocate(BlockOutput.BLOCK).order(ByteOrder.LITTLE_ENDIAN);

    DirectoryBlocks(Tree tree) {
        this.tree = tree;
        this.names = tree.names();
        this.inodes = tree.inodes();
    }

    /** Puts the names in order, "." and ".." added; to be called once. */
    void sort(int directory) {
        add(directory, SELF, directory);
        add(directory, PARENT, tree.parent(directory));
        int count = 0;
        for (int name = inodes.firstName(directory); name != Names.NONE; name = names.next(name)) {
            count++;
        }
        var sorted = new Integer[count];
        int at = 0;
        for (int name = inodes.firstName(directory); name != Names.NONE; name = names.next(name)) {
            sorted[at++] = name;
        }
        Arrays.sort(sorted, names::compare);
        int following = Names.NONE;
        while (at > 0) {
            int name = sorted[--at];
            names.next(name, following);
            following = name;
        }
        inodes.firstName(directory, following);
    }

    private void add(int directory, Segment name, int inode) {
        inodes.firstName(directory, names.add(directory, name, inode, inodes.firstName(directory)));
    }

    /** Bytes of a sorted directory; its last block counts as far as it is used. */
    long size(int directory) {
        long whole = 0;
        int name = inodes.firstName(directory);
        while (true) {
            int after = afterBlock(name);
            if (after == Names.NONE) {
                return whole + used(name, after);
            }
            whole += BlockOutput.BLOCK;
            name = after;
        }
    }

    void write(int directory, BlockOutput out) throws IOException {
        int name = inodes.firstName(directory);
        while (name != Names.NONE) {
            int after = afterBlock(name);
            encode(name, after);
            out.write(block.array(), 0, block.position());
            if (after != Names.NONE) {
                out.align();
            }
            name = after;
        }
    }

    private int afterBlock(int first) {
        int used = 0;
        int name = first;
        while (name != Names.NONE) {
            used += ENTRY + names.segment(name).length();
            if (used > BlockOutput.BLOCK) {
                return name;
            }
            name = names.next(name);
        }
        return Names.NONE;
    }

    private int used(int first, int after) {
        int used = 0;
        for (int name = first; name != after; name = names.next(name)) {
            used += ENTRY + names.segment(name).length();
        }
        return used;
    }

    private void encode(int first, int after) {
        int count = 0;
        for (int name = first; name != after; name = names.next(name)) {
            count++;
        }
        block.clear();
        int text = count * ENTRY;
        for (int name = first; name != after; name = names.next(name)) {
            int inode = names.inode(name);
            block.putLong(inodes.slot(inode)).putShort((short) text);
            block.put(Mode.entryType(inodes.mode(inode))).put((byte) 0);
            text += names.segment(name).length();
        }
        for (int name = first; name != after; name = names.next(name)) {
            var segment = names.segment(name);
            block.put(segment.bytes(), segment.from(), segment.length());
        }
    }
}
