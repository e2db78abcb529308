package podvm.machine;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * A VMM's cgroups, written down in the pod's directory before they are made, so that any daemon
 * removes them.
 *
 * @param name of the VMM's own one, in each tree
 * @param limitBytes of memory at the start; 0: none
 * @param directories to be removed in this order: parents that were made for it too
 */
record VmmCgroup(String name, long limitBytes, List<Path> directories) {
    private static final String FILE = "cgroup";
    private static final int LOOKS = 100;
    private static final int LOOK_MILLIS = 20;

    void write(PodDirectory directory) throws IOException {
        var lines = new ArrayList<String>();
        lines.add(Long.toString(limitBytes));
        directories.forEach(path -> lines.add(path.toString()));
        Files.write(directory.path().resolve(FILE), lines);
    }

    /** Empty where the machine has none. */
    static Optional<VmmCgroup> of(PodDirectory directory) {
        try {
            var lines = Files.readAllLines(directory.path().resolve(FILE));
            // one that was not written to its end stands for cgroups that were not made yet
            return lines.isEmpty() || !lines.getFirst().matches("\\d{1,18}")
                    ? Optional.empty()
                    : Optional.of(
                            new VmmCgroup(
                                    VmmProcesses.name(directory.pod()),
                                    Long.parseLong(lines.getFirst()),
                                    lines.stream().skip(1).map(Path::of).toList()));
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    /** Others may be in the parents by now. */
    private List<Path> own() {
        return directories.stream().filter(path -> path.endsWith(name)).toList();
    }

    /** For a machine that is to get more memory than it was started with. */
    void allow(int moreMib) throws PodException {
        if (limitBytes == 0) {
            return;
        }
        for (var directory : own()) {
            try {
                limit(directory, limitBytes + ((long) moreMib << 20));
            } catch (IOException e) {
                throw new PodException(
                        Kind.UNAVAILABLE,
                        "cannot raise the limit of " + directory + ": " + e,
                        "",
                        e);
            }
        }
    }

    static void limit(Path cgroup, long bytes) throws IOException {
        NodeCgroups.write(cgroup, "memory.max", Long.toString(bytes));
        NodeCgroups.write(cgroup, "memory.limit_in_bytes", Long.toString(bytes));
    }

    /** All memory that is charged to it, page cache included. */
    OptionalLong memory() {
        for (var directory : own()) {
            for (var file : List.of("memory.current", "memory.usage_in_bytes")) {
                try {
                    var text = Files.readString(directory.resolve(file)).strip();
                    return OptionalLong.of(Long.parseLong(text));
                } catch (IOException _) {
                    // another tree's
                }
            }
        }
        return OptionalLong.empty();
    }

    /**
     * After the VMM's end. Parents that others use by now stay, and so does what has processes of
     * somebody else in it.
     */
    void remove() throws IOException {
        for (var directory : directories) {
            remove(directory);
        }
    }

    /** A process that was killed leaves its cgroup a moment later. */
    private static void remove(Path directory) throws IOException {
        for (var look = 0; ; look++) {
            try {
                Files.deleteIfExists(directory);
                return;
            } catch (DirectoryNotEmptyException e) {
                return;
            } catch (IOException e) {
                if (look == LOOKS || inUse(directory)) {
                    return;
                }
                pause();
            }
        }
    }

    /** By cgroups below it, which are somebody else's. */
    private static boolean inUse(Path directory) throws IOException {
        try (var below = Files.list(directory)) {
            return below.anyMatch(Files::isDirectory);
        } catch (NoSuchFileException _) {
            return true;
        }
    }

    private static void pause() {
        try {
            Thread.sleep(LOOK_MILLIS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
