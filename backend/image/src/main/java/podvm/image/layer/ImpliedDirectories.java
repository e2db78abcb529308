package podvm.image.layer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Lists the directories that a layer has only because something lies in them: it says nothing of
 * their mode, owner, times and attributes. Those in a directory that hides all below it are left
 * out, since nothing could be said of them elsewhere.
 */
final class ImpliedDirectories {
    /** Nearest to the root first: these are what other layers may have as well. */
    private static final int MOST = 4096;

    private static final int MOST_BYTES = 256 << 10;

    private final Tree tree;
    private final int[] nameOf;

    private ImpliedDirectories(Tree tree) {
        this.tree = tree;
        this.nameOf = new int[tree.inodes().count()];
        Arrays.fill(nameOf, Names.NONE);
        for (int name = 0; name < tree.names().count(); name++) {
            nameOf[tree.names().inode(name)] = name;
        }
    }

    /** Paths without slashes around them, one char per byte, sorted; empty text: the root. */
    static List<String> of(Tree tree) {
        var byDepth =
                tree.implied()
                        .mapToLong(inode -> (long) tree.depth(inode) << 32 | inode)
                        .sorted()
                        .toArray();
        if (byDepth.length == 0) {
            return List.of();
        }
        var directories = new ImpliedDirectories(tree);
        var paths = new ArrayList<String>();
        int bytes = 0;
        for (int at = 0; at < byDepth.length && paths.size() < MOST; at++) {
            var path = directories.path((int) byDepth[at]);
            bytes += path.map(String::length).orElse(0);
            if (bytes > MOST_BYTES) {
                break;
            }
            path.ifPresent(paths::add);
        }
        paths.sort(null);
        return List.copyOf(paths);
    }

    /** Empty where something else has taken the name, or where it lies in an opaque directory. */
    private Optional<String> path(int directory) {
        var path = new StringBuilder();
        for (int at = directory; at != tree.root(); at = tree.parent(at)) {
            int name = nameOf[at];
            boolean hides = at != directory && tree.xattrs(at).contains(Xattr.OPAQUE);
            if (name == Names.NONE || hides) {
                return Optional.empty();
            }
            var segment = tree.names().segment(name);
            var text =
                    new String(
                            segment.bytes(),
                            segment.from(),
                            segment.length(),
                            StandardCharsets.ISO_8859_1);
            path.insert(0, path.isEmpty() ? text : text + "/");
        }
        boolean hidden =
                directory != tree.root() && tree.xattrs(tree.root()).contains(Xattr.OPAQUE);
        return hidden ? Optional.empty() : Optional.of(path.toString());
    }
}
