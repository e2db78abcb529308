package podvm.image.export;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import podvm.image.export.ErofsDisk.Node;

/**
 * Makes a layer's tar again from its disk: the same tree, whiteouts and hard links included, with
 * directories before what they hold, by depth and name. The same tree gives the same bytes, which
 * are not those of the tar that was pulled.
 */
public final class LayerTar {
    static final String OPAQUE = "trusted.overlay.opaque";

    private final ErofsDisk disk;
    private final Set<String> implied;
    private final OutputStream out;
    private final TarOutput tar;
    private final Map<Long, String> linked = new HashMap<>();
    private final ArrayDeque<Directory> waiting = new ArrayDeque<>();

    private record Directory(String path, Node node) {}

    private LayerTar(ErofsDisk disk, Set<String> implied, OutputStream out) {
        this.disk = disk;
        this.implied = implied;
        this.out = out;
        this.tar = new TarOutput(out);
    }

    /**
     * Writes it whole; the stream stays open.
     *
     * @param implied paths of directories that get no entry, as they had none
     */
    public static void write(Path disk, List<String> implied, OutputStream out) throws IOException {
        var buffered = new BufferedOutputStream(out, 1 << 16);
        try (var erofs = new ErofsDisk(disk)) {
            new LayerTar(erofs, Set.copyOf(implied), buffered).write();
        }
        buffered.flush();
    }

    private void write() throws IOException {
        var root = disk.root();
        directory("", root);
        while (!waiting.isEmpty()) {
            var next = waiting.remove();
            for (var entry : disk.entries(next.node())) {
                add(next.path(), entry);
            }
        }
        tar.end();
    }

    private void add(String directory, ErofsDisk.Entry entry) throws IOException {
        var path = directory + entry.name();
        var node = disk.node(entry.number());
        var first = linked.get(node.number());
        if (first != null) {
            tar.begin(entry(path, '1', node, 0, first));
            return;
        }
        if (node.links() > 1 && node.type() != 0040000) {
            linked.put(node.number(), path);
        }
        switch (node.type()) {
            case 0040000 -> directory(path + "/", node);
            case 0120000 -> tar.begin(entry(path, '2', node, 0, disk.target(node)));
            case 0020000 -> {
                // a whiteout, as overlayfs has it
                if (node.place() == 0) {
                    tar.begin(entry(directory + ".wh." + entry.name(), '0', node, 0, ""));
                } else {
                    tar.begin(entry(path, '3', node, 0, ""));
                }
            }
            case 0060000 -> tar.begin(entry(path, '4', node, 0, ""));
            case 0010000 -> tar.begin(entry(path, '6', node, 0, ""));
            default -> {
                tar.begin(entry(path, '0', node, node.size(), ""));
                disk.copy(node, out);
                tar.pad(node.size());
            }
        }
    }

    /**
     * @param path ends with a slash; empty: the root
     */
    private void directory(String path, Node node) throws IOException {
        boolean opaque = node.attributes().containsKey(OPAQUE);
        boolean told = path.isEmpty() ? !implied.contains("") : isTold(path, node, opaque);
        if (told) {
            tar.begin(entry(path.isEmpty() ? "./" : path, '5', node, 0, ""));
        }
        if (opaque) {
            tar.begin(TarOutput.Entry.file(path + ".wh..wh..opq", 0));
        }
        waiting.add(new Directory(path, node));
    }

    /** Without an entry there must be something in it, else it would be lost. */
    private boolean isTold(String path, Node node, boolean opaque) throws IOException {
        return !implied.contains(path.substring(0, path.length() - 1))
                || (!opaque && disk.entries(node).isEmpty());
    }

    private static TarOutput.Entry entry(
            String path, char type, Node node, long size, String link) {
        var attributes = new TreeMap<>(node.attributes());
        attributes.remove(OPAQUE);
        boolean device = type == '3' || type == '4';
        return new TarOutput.Entry(
                path,
                type,
                node.mode() & 07777,
                node.uid(),
                node.gid(),
                node.seconds(),
                node.nanos(),
                size,
                link,
                device ? node.major() : 0,
                device ? node.minor() : 0,
                type == '1' ? new TreeMap<>() : attributes);
    }
}
