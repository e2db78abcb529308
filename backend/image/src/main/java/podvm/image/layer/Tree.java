package podvm.image.layer;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Directories, the names in them and the inodes these lead to. */
final class Tree {
    private final Inodes inodes = new Inodes();
    private final Names names = new Names();
    private final List<byte[]> targets = new ArrayList<>();
    private final List<List<Xattr>> xattrSets = new ArrayList<>();
    private final Map<List<Xattr>, Integer> knownXattrSets = new HashMap<>();
    private final BitSet implied = new BitSet();
    private final int root;
    private long textBytes;

    Tree() {
        root = inodes.add(Mode.DIRECTORY | 0755);
        inodes.place(root, root);
        implied.set(root);
    }

    int root() {
        return root;
    }

    Inodes inodes() {
        return inodes;
    }

    Names names() {
        return names;
    }

    int entries() {
        return Math.max(names.count(), inodes.count());
    }

    /** What names, targets and attributes take. */
    long metadataBytes() {
        return textBytes + names.textBytes();
    }

    /** The inode that a name leads to, or {@link Inodes#NONE}. */
    int find(int directory, Segment name) {
        int found = names.find(directory, name);
        return found == Names.NONE ? Inodes.NONE : names.inode(found);
    }

    boolean isDirectory(int inode) {
        return Mode.isDirectory(inodes.mode(inode));
    }

    boolean isSymlink(int inode) {
        return (inodes.mode(inode) & Mode.TYPE) == Mode.SYMLINK;
    }

    /** What overlayfs takes for "not there": a character device 0/0. */
    boolean isWhiteout(int inode) {
        return (inodes.mode(inode) & Mode.TYPE) == Mode.CHARACTER_DEVICE
                && inodes.place(inode) == 0;
    }

    /** The root is its own. */
    int parent(int directory) {
        return inodes.place(directory);
    }

    /** Directories that no entry describes; some of them may have been replaced since. */
    IntStream implied() {
        return implied.stream();
    }

    /** One that was removed and made anew: it has nothing to do with that of lower layers. */
    void makeNew(int directory) {
        implied.clear(directory);
        makeOpaque(directory);
    }

    int depth(int directory) {
        return inodes.depth(directory);
    }

    byte[] target(int symlink) {
        return targets.get(inodes.place(symlink));
    }

    List<Xattr> xattrs(int inode) {
        int set = inodes.xattrs(inode);
        return set == Inodes.NONE ? List.of() : xattrSets.get(set);
    }

    /** Lets a name lead to an inode, whatever it led to before. */
    void link(int directory, Segment name, int inode) {
        int found = names.find(directory, name);
        if (found == Names.NONE) {
            int added = names.add(directory, name, inode, inodes.firstName(directory));
            inodes.firstName(directory, added);
        } else {
            names.inode(found, inode);
        }
    }

    /** Anything but a directory or a hard link. */
    int put(int directory, Segment name, TarEntry entry) {
        int inode = inodes.add(Mode.of(entry));
        describe(inode, entry);
        inodes.place(inode, place(entry));
        link(directory, name, inode);
        return inode;
    }

    /** Only implied, until it is described. */
    int putDirectory(int parent, Segment name) {
        int inode = inodes.add(Mode.DIRECTORY | 0755);
        inodes.place(inode, parent);
        inodes.depth(inode, inodes.depth(parent) + 1);
        implied.set(inode);
        link(parent, name, inode);
        return inode;
    }

    void putWhiteout(int directory, Segment name, TarEntry entry) {
        int inode = inodes.add(Mode.CHARACTER_DEVICE);
        inodes.time(inode, entry.seconds(), entry.nanos());
        link(directory, name, inode);
    }

    /** Mode, owner, time and attributes; a directory stays as opaque as it was. */
    void describe(int inode, TarEntry entry) {
        implied.clear(inode);
        boolean opaque = xattrs(inode).contains(Xattr.OPAQUE);
        inodes.mode(inode, Mode.of(entry));
        inodes.owner(inode, entry.uid(), entry.gid());
        inodes.time(inode, entry.seconds(), entry.nanos());
        setXattrs(inode, entry.xattrs());
        if (opaque) {
            makeOpaque(inode);
        }
    }

    /** Hides what lower layers have in the directory (overlayfs, "whiteouts and opaque"). */
    void makeOpaque(int directory) {
        var known = xattrs(directory);
        if (!known.contains(Xattr.OPAQUE)) {
            var set = new ArrayList<>(known);
            set.add(Xattr.OPAQUE);
            setXattrs(directory, List.copyOf(set));
        }
    }

    private void setXattrs(int inode, List<Xattr> set) {
        if (set.isEmpty()) {
            inodes.xattrs(inode, Inodes.NONE);
            return;
        }
        var known = knownXattrSets.get(set);
        if (known == null) {
            known = xattrSets.size();
            xattrSets.add(set);
            textBytes += XattrBody.bytes(set);
            knownXattrSets.put(set, known);
        }
        inodes.xattrs(inode, known);
    }

    private int place(TarEntry entry) {
        return switch (entry.type()) {
            case SYMLINK -> {
                targets.add(entry.link());
                textBytes += entry.link().length;
                yield targets.size() - 1;
            }
            case CHARACTER_DEVICE, BLOCK_DEVICE -> device(entry.major(), entry.minor());
            case FILE, HARD_LINK, DIRECTORY, FIFO -> 0;
        };
    }

    /** As the kernel packs it (new_encode_dev in include/linux/kdev_t.h). */
    private static int device(int major, int minor) {
        return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
    }
}
