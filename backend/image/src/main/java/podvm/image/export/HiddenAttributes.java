package podvm.image.export;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import podvm.image.export.ErofsDisk.Node;

/**
 * Makes a layer of directories alone, to be stacked upon an image's own: each that the topmost
 * layer only implies gets the mode, owner, time and attributes that the nearest layer below says it
 * has. It has no other directories than the merged tree, so that it brings nothing back and hides
 * nothing.
 */
public final class HiddenAttributes implements AutoCloseable {
    /** Few inodes of each disk are looked at, but perhaps of hundreds of disks. */
    private static final int WINDOW = 8 << 10;

    private final List<TarOutput.Entry> found = new ArrayList<>();
    private final List<ErofsDisk> disks = new ArrayList<>();

    private HiddenAttributes() {}

    /**
     * @param implied paths of the directories that the layer only implies
     */
    public record Layer(Path disk, List<String> implied) {}

    /** A directory as one layer has it. */
    private record Version(ErofsDisk disk, Set<String> implied, Node node) {
        boolean hidesLower() {
            return node.attributes().containsKey(LayerTar.OPAQUE);
        }
    }

    /** The directories to be looked at, by their names. */
    private record Wanted(SortedMap<String, Wanted> below) {
        Wanted() {
            this(new TreeMap<>());
        }

        void add(String path) {
            var at = this;
            for (var name : path.split("/")) {
                at = at.below.computeIfAbsent(name, _ -> new Wanted());
            }
        }
    }

    /**
     * The same layers give the same bytes.
     *
     * @param layers the topmost first
     * @return a tar; empty where nothing is hidden
     */
    public static Optional<byte[]> tar(List<Layer> layers) throws IOException {
        var wanted = new Wanted();
        layers.stream()
                .limit(layers.isEmpty() ? 0 : layers.size() - 1L)
                .flatMap(layer -> layer.implied().stream())
                .filter(path -> !path.isEmpty())
                .forEach(wanted::add);
        try (var attributes = new HiddenAttributes()) {
            var roots = new ArrayList<Version>();
            for (var layer : layers) {
                var disk = new ErofsDisk(layer.disk(), WINDOW);
                attributes.disks.add(disk);
                roots.add(new Version(disk, Set.copyOf(layer.implied()), disk.root()));
            }
            return attributes.visit("", roots, wanted)
                    ? Optional.of(attributes.tar())
                    : Optional.empty();
        }
    }

    @Override
    public void close() throws IOException {
        for (var disk : disks) {
            disk.close();
        }
    }

    /**
     * Whether the directory or one in it needs its attributes; then it and they are in the list.
     */
    private boolean visit(String path, List<Version> versions, Wanted wanted) throws IOException {
        int before = found.size();
        var right =
                versions.stream()
                        .filter(version -> !version.implied().contains(path))
                        .findFirst()
                        .orElse(versions.getFirst())
                        .node();
        found.add(entry(path, right));
        boolean needed = differs(path, versions.getFirst().node(), right);
        var below = below(versions, wanted.below().keySet());
        for (var child : below.entrySet()) {
            var name = child.getKey();
            needed |=
                    visit(
                            path.isEmpty() ? name : path + "/" + name,
                            child.getValue(),
                            wanted.below().getOrDefault(name, new Wanted()));
        }
        if (!needed) {
            found.subList(before, found.size()).clear();
        }
        return needed;
    }

    /**
     * What the layers have under these names, as far as it is directories and no layer above hides
     * it.
     */
    private static SortedMap<String, List<Version>> below(List<Version> versions, Set<String> names)
            throws IOException {
        var below = new TreeMap<String, List<Version>>();
        var open = new HashMap<String, Boolean>();
        for (var version : names.isEmpty() ? List.<Version>of() : versions) {
            for (var entry : version.disk().entries(version.node())) {
                if (!names.contains(entry.name()) || !open.getOrDefault(entry.name(), true)) {
                    continue;
                }
                var node = version.disk().node(entry.number());
                if (node.type() == ErofsDisk.DIRECTORY) {
                    below.computeIfAbsent(entry.name(), _ -> new ArrayList<>())
                            .add(new Version(version.disk(), version.implied(), node));
                } else {
                    open.put(entry.name(), false);
                }
            }
            if (version.hidesLower()) {
                break;
            }
        }
        return below;
    }

    /** That the root alone is older than it looks is not worth a disk for each image. */
    private static boolean differs(String path, Node one, Node other) {
        boolean sameTime =
                path.isEmpty()
                        || (one.seconds() == other.seconds() && one.nanos() == other.nanos());
        return !sameTime
                || one.mode() != other.mode()
                || one.uid() != other.uid()
                || one.gid() != other.gid()
                || !attributes(one).equals(attributes(other));
    }

    private static TarOutput.Entry entry(String path, Node node) {
        return new TarOutput.Entry(
                path.isEmpty() ? "./" : path + "/",
                '5',
                node.mode() & 07777,
                node.uid(),
                node.gid(),
                node.seconds(),
                node.nanos(),
                0,
                "",
                0,
                0,
                attributes(node));
    }

    private static Map<String, String> attributes(Node node) {
        var attributes = new TreeMap<>(node.attributes());
        attributes.remove(LayerTar.OPAQUE);
        return attributes;
    }

    private byte[] tar() throws IOException {
        var bytes = new ByteArrayOutputStream();
        var tar = new TarOutput(bytes);
        for (var entry : found) {
            tar.begin(entry);
        }
        tar.end();
        return bytes.toByteArray();
    }
}
