package podvm.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import podvm.engine.MachineSize;
import podvm.engine.NodeGroup;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * Puts VMMs below the cgroups that the kubelet makes for pods, so that the node accounts for them
 * there. A node whose cgroups cannot be written is told of once, and its pods run all the same.
 */
public final class NodeCgroups {
    /** Those of cgroup v1 that account for something or can be limited here. */
    private static final List<String> CONTROLLERS = List.of("cpu", "cpuacct", "memory", "pids");

    private static final String UNIFIED = "cgroup.controllers";
    private static final String SLICE = ".slice";

    /**
     * What a VMM may need beyond its guest's memory: QEMU itself (45 MiB), the translated code of a
     * guest without KVM (64 MiB), page tables, buffers of disks and networks.
     */
    private static final long VMM_MIB = 256;

    private final Path root;
    private final Consumer<String> warnings;
    private final AtomicBoolean told = new AtomicBoolean();

    /**
     * @param root /sys/fs/cgroup
     * @param warnings hears why there are no cgroups, once
     */
    public NodeCgroups(Path root, Consumer<String> warnings) {
        this.root = root;
        this.warnings = warnings;
    }

    /** Fails with INVALID where the parent is no name of a cgroup. */
    public static void check(NodeGroup group) throws PodException {
        var _ = relative(group.parent());
    }

    /** The parent below the root of a hierarchy, as systemd nests its slices. */
    static Path relative(String parent) throws PodException {
        var parts = List.of(parent.split("/"));
        if (!parent.matches("[ -~]{1,4095}")
                || parts.contains("..")
                || parts.stream().anyMatch(part -> part.length() > 255)) {
            throw new PodException(
                    Kind.INVALID,
                    "not the name of a cgroup: " + parent,
                    "use a path or a systemd slice");
        }
        boolean slice = parent.endsWith(SLICE) && !parent.contains("/");
        var path = Path.of("/", slice ? nested(parent) : parent);
        return Path.of("/").relativize(path.normalize());
    }

    /** systemd.slice(5): a-b.slice is in a.slice. */
    private static String nested(String slice) {
        var name = slice.substring(0, slice.length() - SLICE.length());
        var path = new StringBuilder();
        for (int at = name.indexOf('-'); at > 0; at = name.indexOf('-', at + 1)) {
            path.append(name, 0, at).append(SLICE).append('/');
        }
        return path.append(slice).toString();
    }

    /** Puts a VMM that has just been started into a cgroup of its own. */
    public void enter(PodDirectory directory, NodeGroup group, MachineSize size, long pid)
            throws PodException {
        var below = relative(group.parent());
        try {
            var trees = trees();
            if (trees.isEmpty()) {
                throw new IOException("there are none in " + root);
            }
            long limit = group.limited() ? (size.memoryMib() + VMM_MIB) << 20 : 0;
            var name = VmmProcesses.name(directory.pod());
            new VmmCgroup(name, limit, made(trees, below, name)).write(directory);
            for (var tree : trees) {
                var leaf = tree.resolve(below).resolve(name);
                Files.createDirectories(leaf);
                if (unified()) {
                    enable(tree, below);
                }
                limit(leaf, group, limit);
                Files.writeString(leaf.resolve("cgroup.procs"), Long.toString(pid));
            }
        } catch (IOException e) {
            if (told.compareAndSet(false, true)) {
                warnings.accept(
                        "machines are accounted for in podvmd's own cgroup, not below "
                                + group.parent()
                                + ": "
                                + e
                                + "; podvmd needs to write "
                                + root);
            }
        }
    }

    private boolean unified() {
        return Files.exists(root.resolve(UNIFIED));
    }

    private List<Path> trees() throws IOException {
        if (unified()) {
            return List.of(root);
        }
        var trees = new LinkedHashSet<Path>();
        for (var controller : CONTROLLERS) {
            var tree = root.resolve(controller);
            if (Files.isDirectory(tree)) {
                // cpu and cpuacct are often two names of one
                trees.add(tree.toRealPath());
            }
        }
        return List.copyOf(trees);
    }

    /** All that is to be removed again, innermost first: also parents that nobody has made yet. */
    private static List<Path> made(List<Path> trees, Path below, String name) {
        var all = new ArrayList<Path>();
        for (var tree : trees) {
            all.add(tree.resolve(below).resolve(name));
            for (var names = below.getNameCount(); names > 0; names--) {
                var parent = tree.resolve(below.subpath(0, names));
                if (Files.exists(parent)) {
                    break;
                }
                all.add(parent);
            }
        }
        return List.copyOf(all);
    }

    /** On v2 a cgroup has the controllers that all above it pass on. */
    private static void enable(Path tree, Path below) throws IOException {
        var path = tree;
        for (var name : below) {
            pass(path);
            path = path.resolve(name);
        }
        pass(path);
    }

    private static void pass(Path cgroup) throws IOException {
        var file = cgroup.resolve("cgroup.subtree_control");
        var passed = Files.exists(file) ? Files.readString(file) : "";
        for (var controller : List.of("cpu", "memory", "pids")) {
            if (!List.of(passed.split("\\s+")).contains(controller)) {
                Files.writeString(file, "+" + controller);
            }
        }
    }

    /**
     * @param bytes 0: no limit
     */
    private static void limit(Path leaf, NodeGroup group, long bytes) throws IOException {
        if (group.cpuShares() > 0) {
            write(leaf, "cpu.weight", Long.toString(weight(group.cpuShares())));
            write(leaf, "cpu.shares", Long.toString(Math.clamp(group.cpuShares(), 2, 262_144)));
        }
        if (bytes > 0) {
            VmmCgroup.limit(leaf, bytes);
        }
    }

    /** The kubelet's own rule: 2 to 262144 shares are 1 to 10000. */
    private static long weight(long shares) {
        return 1 + (Math.clamp(shares, 2, 262_144) - 2L) * 9999 / 262_142;
    }

    /** Each kind of tree has files of its own. */
    static void write(Path leaf, String file, String value) throws IOException {
        var path = leaf.resolve(file);
        if (Files.exists(path)) {
            Files.writeString(path, value);
        }
    }
}
