package podvm.engine.log;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A log file and those that had its name before: the kubelet calls them NAME.TIME and NAME.TIME.gz.
 */
final class RenamedFiles {
    private RenamedFiles() {}

    /** Oldest first. */
    static List<Path> list(Path newest) throws IOException {
        var directory = newest.toAbsolutePath().getParent();
        var all = new ArrayList<Path>();
        if (directory != null) {
            var before = newest.getFileName() + ".";
            try (var files = Files.list(directory)) {
                files.filter(file -> isOlder(file.getFileName().toString(), before))
                        .sorted()
                        .forEach(all::add);
            } catch (NoSuchFileException e) {
                return List.of();
            } catch (UncheckedIOException e) {
                throw e.getCause();
            }
        }
        if (Files.exists(newest)) {
            all.add(newest);
        }
        return all;
    }

    /** A file that is being compressed has a name of its own until it is whole. */
    private static boolean isOlder(String name, String before) {
        return name.startsWith(before)
                && name.length() > before.length()
                && Character.isDigit(name.charAt(before.length()))
                && !name.endsWith(".tmp");
    }
}
