package podvm.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;

/** A directory that goes with all that is in it. */
record Scratch(Path path) implements AutoCloseable {
    static Scratch in(Path parent) throws IOException {
        // short: paths of Unix sockets begin with it
        return new Scratch(Files.createTempDirectory(parent, "pvb"));
    }

    @Override
    public void close() throws IOException {
        try (var all = Files.walk(path)) {
            for (var file : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
