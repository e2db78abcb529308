package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/** Compares the host with what it was: a node that has been closed must have left nothing. */
final class LeakCheck {
    private final Path node;
    private final Set<String> before;

    /**
     * @param node directory of the node that is watched
     */
    LeakCheck(Path node) {
        this.node = node;
        this.before = things();
    }

    /** The state of the host when the first class of this run began. */
    static LeakCheck ofModule(ExtensionContext context) {
        var store = context.getRoot().getStore(Namespace.create(LeakCheck.class));
        return store.computeIfAbsent(
                "module", key -> new LeakCheck(Path.of("/tmp/pv-")), LeakCheck.class);
    }

    void check() throws IOException {
        assertThat(Host.processesOf(node)).as("processes of %s that are left", node).isEmpty();
        assertThat(leftFiles()).as("files in %s that are left", node).isEmpty();
        checkHost();
    }

    /** What has no place in a node's folder. */
    void checkHost() {
        var now = things();
        now.removeAll(before);
        assertThat(now).as("things of the host that were not there before").isEmpty();
    }

    /**
     * Of an empty node with a stopped daemon; its log, its images and its journals' folder may
     * stay.
     */
    private List<String> leftFiles() throws IOException {
        var left = new ArrayList<String>();
        left.addAll(below(node.resolve("run/pods")));
        left.addAll(below(node.resolve("tmp")));
        left.addAll(below(node.resolve("state/images/tmp")));
        left.addAll(below(node.resolve("state/pods")));
        left.addAll(
                below(node.resolve("run")).stream()
                        .filter(name -> name.endsWith(".sock"))
                        .toList());
        if (Files.isDirectory(node)) {
            try (var all = Files.walk(node)) {
                all.map(Path::toString)
                        .filter(name -> name.matches(".*(scratch|\\.next|\\.part|\\.tmp|draft).*"))
                        .forEach(left::add);
            }
        }
        return left;
    }

    private static List<String> below(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (var all = Files.walk(folder)) {
            return all.filter(path -> !path.equals(folder)).map(Path::toString).toList();
        }
    }

    private static Set<String> things() {
        var things = new TreeSet<String>();
        addNames(things, "/sys/class/net");
        addNames(things, "/run/netns");
        addNames(things, "/var/run/netns");
        addNames(things, "/dev/shm");
        Host.read(Path.of("/proc/self/mountinfo"))
                .orElse("")
                .lines()
                .filter(line -> line.contains("podvm") || line.contains("/pv-"))
                .map(line -> "mount " + line)
                .forEach(things::add);
        return things;
    }

    private static void addNames(Set<String> things, String folder) {
        try (Stream<Path> names = Files.list(Path.of(folder))) {
            names.map(Path::toString).forEach(things::add);
        } catch (IOException e) {
            // a host without such a folder
        }
    }
}
