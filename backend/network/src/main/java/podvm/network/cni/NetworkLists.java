package podvm.network.cni;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * The networks configured in a directory. It is read each time it is asked: a file that an
 * installer has just put there counts at once.
 */
record NetworkLists(Path directory) {
    private static final long LARGEST = 1 << 20;
    private static final int MOST_FILES = 1000;
    private static final String REMEDY =
            "install a network add-on, or see docs/howto/networking.md";

    /** The one of this name. */
    NetworkList named(String name) throws PodException {
        var all = read();
        for (var list : all.lists()) {
            if (list.name().equals(name)) {
                return list;
            }
        }
        var names = all.lists().stream().map(NetworkList::name).toList();
        throw new PodException(
                Kind.NOT_FOUND,
                "there is no CNI network " + name + " in " + directory + all.complaint(),
                names.isEmpty() ? REMEDY : "choose one of: " + String.join(", ", names));
    }

    /** The first by the names of the files, as other runtimes take it. */
    NetworkList first() throws PodException {
        var all = read();
        if (all.lists().isEmpty()) {
            throw new PodException(
                    Kind.NOT_FOUND,
                    "there is no CNI network in " + directory + all.complaint(),
                    REMEDY);
        }
        return all.lists().getFirst();
    }

    /** Those that are right, in the order of their files' names. */
    List<NetworkList> all() throws PodException {
        return read().lists();
    }

    private Found read() throws PodException {
        var lists = new ArrayList<NetworkList>();
        var problems = new ArrayList<String>();
        for (var file : files()) {
            try {
                lists.add(NetworkList.parse(file.toString(), bytes(file)));
            } catch (PodException e) {
                // others in the directory may be right
                problems.add(e.getMessage());
            }
        }
        return new Found(lists, problems);
    }

    private List<Path> files() throws PodException {
        try (var entries = Files.list(directory)) {
            return entries.filter(NetworkLists::isConfiguration)
                    .sorted()
                    .limit(MOST_FILES)
                    .toList();
        } catch (NoSuchFileException | NotDirectoryException _) {
            return List.of();
        } catch (IOException e) {
            throw new PodException(Kind.UNAVAILABLE, "cannot list " + directory + ": " + e, "", e);
        }
    }

    private static boolean isConfiguration(Path file) {
        var name = file.getFileName().toString();
        return name.endsWith(".conflist") || name.endsWith(".conf") || name.endsWith(".json");
    }

    private static byte[] bytes(Path file) throws PodException {
        try (var in = Files.newInputStream(file)) {
            return in.readNBytes((int) LARGEST);
        } catch (IOException e) {
            throw new PodException(Kind.UNAVAILABLE, "cannot read " + file + ": " + e, "", e);
        }
    }

    private record Found(List<NetworkList> lists, List<String> problems) {
        String complaint() {
            return problems.isEmpty() ? "" : "; " + String.join("; ", problems);
        }
    }
}
