package podvm.image.layer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Places and writes what follows the files' data: blocks of large directories, then the inodes. It
 * goes through the tree by breadth, so that what is listed together stands together.
 *
 * <p>Directories and links that fit follow their inode in its block; nothing that fits into a block
 * crosses one, as the kernel asks of such data.
 */
final class Metadata {
    private static final int PLAIN = 0;
    private static final int INLINE = 2;
    private static final int SLOT = 32;

    /** Slot 0 would look like "no inode" to readers. */
    private static final int FIRST_SLOT = 2;

    private final Tree tree;
    private final Inodes inodes;
    private final DirectoryBlocks directories;
    private final ByteBuffer buffer = ByteBuffer.allocate(512 << 10).order(ByteOrder.LITTLE_ENDIAN);
    private int[] order;
    private int count;
    private long end = (long) FIRST_SLOT * SLOT;

    Metadata(Tree tree) {
        this.tree = tree;
        this.inodes = tree.inodes();
        this.directories = new DirectoryBlocks(tree);
        this.order = new int[inodes.count()];
    }

    int inodeCount() {
        return count;
    }

    int rootSlot() {
        return inodes.slot(tree.root());
    }

    /**
     * Writes all.
     *
     * @return the block from which slots are counted
     */
    int write(BlockOutput out) throws IOException {
        collect();
        for (int at = 0; at < count; at++) {
            place(order[at]);
        }
        out.align();
        int firstPlain = out.block();
        for (int at = 0; at < count; at++) {
            writePlain(order[at], out);
        }
        int start = out.block();
        int plain = firstPlain;
        for (int at = 0; at < count; at++) {
            int inode = order[at];
            out.skip((long) start * BlockOutput.BLOCK + offset(inode) - out.position());
            writeInode(inode, plain, at + 1, out);
            plain += plainBlocks(inode);
        }
        // fsck.erofs 1.5 reads a header of attributes behind inodes that have none, too
        out.skip(XattrBody.HEADER);
        out.align();
        return start;
    }

    /** Orders what can be reached and counts the links; what was replaced is left out. */
    private void collect() {
        reach(tree.root());
        for (int at = 0; at < count; at++) {
            int inode = order[at];
            if (tree.isDirectory(inode)) {
                directories.sort(inode);
                reachNames(inode);
                inodes.size(inode, directories.size(inode));
            } else if (tree.isSymlink(inode)) {
                inodes.size(inode, tree.target(inode).length);
            }
        }
    }

    private void reachNames(int directory) {
        var names = tree.names();
        for (int name = inodes.firstName(directory); name != Names.NONE; name = names.next(name)) {
            int inode = names.inode(name);
            if (inodes.links(inode) == 0 && inode != tree.root()) {
                reach(inode);
            }
            inodes.links(inode, inodes.links(inode) + 1);
        }
    }

    private void reach(int inode) {
        order[count++] = inode;
    }

    private void place(int inode) {
        long length = bodyBytes(inode) + (isInline(inode) ? inodes.size(inode) : 0);
        long inBlock = end % BlockOutput.BLOCK;
        if (length <= BlockOutput.BLOCK && inBlock + length > BlockOutput.BLOCK) {
            end += BlockOutput.BLOCK - inBlock;
        }
        inodes.slot(inode, (int) (end / SLOT));
        end = (end + length + SLOT - 1) / SLOT * SLOT;
    }

    private void writePlain(int inode, BlockOutput out) throws IOException {
        if (plainBlocks(inode) == 0) {
            return;
        }
        writeContent(inode, out);
        out.align();
    }

    private void writeInode(int inode, int plain, int number, BlockOutput out) throws IOException {
        var xattrs = tree.xattrs(inode);
        boolean inline = isInline(inode);
        int place = plainBlocks(inode) > 0 ? plain : holdsContent(inode) ? 0 : inodes.place(inode);
        buffer.clear();
        inodes.write(
                inode, inline ? INLINE : PLAIN, place, XattrBody.units(xattrs), number, buffer);
        XattrBody.write(xattrs, buffer);
        out.write(buffer.array(), 0, buffer.position());
        if (inline) {
            writeContent(inode, out);
        }
    }

    private void writeContent(int inode, BlockOutput out) throws IOException {
        if (tree.isDirectory(inode)) {
            directories.write(inode, out);
        } else {
            out.write(tree.target(inode), 0, tree.target(inode).length);
        }
    }

    private boolean isInline(int inode) {
        return holdsContent(inode) && bodyBytes(inode) + inodes.size(inode) <= BlockOutput.BLOCK;
    }

    private int plainBlocks(int inode) {
        return holdsContent(inode) && !isInline(inode)
                ? (int) ((inodes.size(inode) + BlockOutput.BLOCK - 1) / BlockOutput.BLOCK)
                : 0;
    }

    /** Directories and symbolic links have content that is made here. */
    private boolean holdsContent(int inode) {
        return tree.isDirectory(inode) || tree.isSymlink(inode);
    }

    private int bodyBytes(int inode) {
        return Inodes.BYTES + XattrBody.bytes(tree.xattrs(inode));
    }

    private long offset(int inode) {
        return (long) inodes.slot(inode) * SLOT;
    }
}
