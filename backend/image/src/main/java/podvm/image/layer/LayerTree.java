package podvm.image.layer;

import java.io.IOException;
import podvm.engine.PodException;
import podvm.image.content.Refusal;
import podvm.image.content.Shown;

/**
 * Gives the entries of a layer their places. Paths are names in a tree in memory and never touch
 * the host.
 *
 * <p>What it decides, as runtimes that unpack to disk do: absolute names are relative to the root;
 * missing parents are made (root, 0755); a parent that is a symbolic link is followed, inside the
 * tree, where this same layer holds the link; a later entry replaces an earlier one of the same
 * name, but two directories become one. A name that climbs by ".." is refused.
 *
 * <p>Whiteouts (OCI image specification, "Whiteouts") hide lower layers only: beside an entry of
 * this layer, a whiteout of the same name makes a directory opaque and means nothing else.
 */
final class LayerTree {
    /** PATH_MAX: nobody could open a longer one. */
    private static final int LONGEST_PATH = 4095;

    private static final int LONGEST_NAME = 255;
    private static final int DEEPEST = 2048;

    /** As the kernel counts symbolic links in one path. */
    private static final int MOST_LINKS = 40;

    private static final Segment WHITEOUT = Segment.of(".wh.");
    private static final Segment OPAQUE = Segment.of(".wh..wh..opq");

    /** Other names of this form are the private business of AUFS. */
    private static final Segment WHITEOUT_OF_WHITEOUT = Segment.of(".wh..wh.");

    private final Tree tree = new Tree();
    private final LayerLimits limits;
    private int linksFollowed;

    LayerTree(LayerLimits limits) {
        this.limits = limits;
    }

    Tree tree() {
        return tree;
    }

    /**
     * Gives the entry its place.
     *
     * @return its inode when it is a file, whose data is to be stored; else {@link Inodes#NONE}
     */
    int add(TarEntry entry) throws IOException {
        checkLimits(entry);
        linksFollowed = 0;
        var path = path(entry, entry.path(), "its path");
        if (path.length() == 0) {
            describeRoot(entry);
            return Inodes.NONE;
        }
        var name = path.last();
        int parent = directory(entry, path.parent(), tree.root());
        checkName(entry, name);
        if (!name.startsWith(WHITEOUT)) {
            return place(entry, parent, name);
        }
        if (name.hasSameBytes(OPAQUE)) {
            tree.makeOpaque(parent);
        } else if (!name.startsWith(WHITEOUT_OF_WHITEOUT)) {
            whiteout(entry, parent, name.skip(WHITEOUT.length()));
        }
        return Inodes.NONE;
    }

    private int place(TarEntry entry, int parent, Segment name) throws IOException {
        switch (entry.type()) {
            case HARD_LINK -> tree.link(parent, name, hardLinkTarget(entry));
            case DIRECTORY -> tree.describe(directoryAt(entry, parent, name), entry);
            case FILE -> {
                return tree.put(parent, name, entry);
            }
            case SYMLINK -> {
                checkTarget(entry);
                tree.put(parent, name, entry);
            }
            case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO -> tree.put(parent, name, entry);
        }
        return Inodes.NONE;
    }

    private void describeRoot(TarEntry entry) throws IOException {
        if (entry.type() != TarEntry.Type.DIRECTORY) {
            throw refused(entry, "it would replace the root directory");
        }
        tree.describe(tree.root(), entry);
    }

    private void whiteout(TarEntry entry, int parent, Segment name) throws IOException {
        if (name.length() == 0 || name.isDot() || name.isDotDot()) {
            throw refused(entry, "it is a whiteout of nothing");
        }
        int hidden = tree.find(parent, name);
        if (hidden == Inodes.NONE) {
            tree.putWhiteout(parent, name, entry);
        } else if (tree.isDirectory(hidden)) {
            tree.makeNew(hidden);
        }
    }

    private int hardLinkTarget(TarEntry entry) throws IOException {
        var path = path(entry, entry.link(), "the path it links to");
        int target =
                path.length() == 0
                        ? tree.root()
                        : tree.find(directory(entry, path.parent(), tree.root()), path.last());
        if (target == Inodes.NONE || tree.isWhiteout(target)) {
            throw refused(
                    entry,
                    "it is a hard link to %s, which is not in this layer before it"
                            .formatted(Shown.name(entry.link())));
        }
        if (tree.isDirectory(target)) {
            throw refused(entry, "it is a hard link to the directory " + Shown.name(entry.link()));
        }
        return target;
    }

    /** The directory that a path leads to, made where it is missing. */
    private int directory(TarEntry entry, Segment path, int start) throws IOException {
        int at = start;
        for (var left = path; left.length() > 0; left = left.rest()) {
            var name = left.first();
            if (name.isDotDot()) {
                // only targets of symbolic links get here with one
                at = tree.parent(at);
            } else if (name.length() > 0 && !name.isDot()) {
                at = step(entry, at, name);
            }
        }
        return at;
    }

    private int step(TarEntry entry, int at, Segment name) throws IOException {
        checkName(entry, name);
        int found = tree.find(at, name);
        if (found != Inodes.NONE && tree.isSymlink(found)) {
            return follow(entry, found, at);
        }
        boolean usable = found == Inodes.NONE || tree.isDirectory(found) || tree.isWhiteout(found);
        if (!usable) {
            throw refused(entry, "it lies below %s, which is no directory".formatted(name.shown()));
        }
        return directoryAt(entry, at, name);
    }

    private int follow(TarEntry entry, int symlink, int from) throws IOException {
        if (++linksFollowed > MOST_LINKS) {
            throw refused(entry, "it lies below a loop of symbolic links");
        }
        var target = Segment.of(tree.target(symlink));
        return directory(entry, target, target.isAbsolute() ? tree.root() : from);
    }

    /** The directory of that name, made where it is missing or something else. */
    private int directoryAt(TarEntry entry, int parent, Segment name) throws IOException {
        int found = tree.find(parent, name);
        if (found != Inodes.NONE && tree.isDirectory(found)) {
            return found;
        }
        if (tree.depth(parent) == DEEPEST) {
            throw refused(entry, "it lies deeper than " + DEEPEST + " directories");
        }
        int made = tree.putDirectory(parent, name);
        if (found != Inodes.NONE && tree.isWhiteout(found)) {
            tree.makeNew(made);
        }
        return made;
    }

    private void checkLimits(TarEntry entry) throws IOException {
        if (tree.entries() >= limits.entries()) {
            throw exhausted(entry, "has more than %d entries".formatted(limits.entries()));
        }
        if (tree.metadataBytes() > limits.metadata()) {
            throw exhausted(
                    entry,
                    "has more than %d bytes of names, link targets and attributes"
                            .formatted(limits.metadata()));
        }
    }

    private static Refusal exhausted(TarEntry entry, String what) {
        return new Refusal(
                new PodException(
                        PodException.Kind.EXHAUSTED,
                        "layer %s, the next is %s".formatted(what, entry.shown()),
                        "raise the limit or split the layer"));
    }

    private Segment path(TarEntry entry, byte[] bytes, String what) throws IOException {
        if (bytes.length > LONGEST_PATH) {
            throw refused(entry, "%s is longer than %d bytes".formatted(what, LONGEST_PATH));
        }
        for (var left = Segment.of(bytes); left.length() > 0; left = left.rest()) {
            if (left.first().isDotDot()) {
                throw refused(entry, what + " climbs by '..'");
            }
        }
        return Segment.of(bytes).trimmed();
    }

    private void checkName(TarEntry entry, Segment name) throws IOException {
        if (name.length() > LONGEST_NAME) {
            throw refused(entry, "it has a name longer than " + LONGEST_NAME + " bytes");
        }
    }

    private void checkTarget(TarEntry entry) throws IOException {
        if (entry.link().length == 0 || entry.link().length > LONGEST_PATH) {
            throw refused(
                    entry,
                    "it is a symbolic link to a path of %d bytes; 1 to %d are possible"
                            .formatted(entry.link().length, LONGEST_PATH));
        }
    }

    private static Refusal refused(TarEntry entry, String why) {
        return Refusal.corrupt("layer entry %s is refused: %s".formatted(entry.shown(), why));
    }
}
