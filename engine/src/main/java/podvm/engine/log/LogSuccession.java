package podvm.engine.log;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/** The files of one log, of which the last one grows. */
interface LogSuccession {
    /** The one to read next, or first; empty where there is none yet. */
    Optional<Path> after(Optional<Opened> before) throws IOException;

    /** Whether files that came after the one are gone, so that the next is not its successor. */
    boolean isGap(Opened before, Path next) throws IOException;

    /** Whether a reader who is at {@code current} has still to open the other. */
    boolean isBefore(Optional<Opened> current, Path other);

    /** Files that are never renamed, and whose names sort by age. */
    static LogSuccession ofParts(Path directory) {
        return new PartFiles(directory);
    }

    /**
     * A file that somebody gives another name, beginning with its own, when it has grown, and may
     * compress then.
     */
    static LogSuccession ofRenamed(Path newest) {
        return new RenamedFiles(newest);
    }

    /**
     * @param key of the file itself, whatever its name is by now
     */
    record Opened(Path path, @Nullable Object key, InputStream in) {
        static final String COMPRESSED = ".gz";

        static Opened of(Path path) throws IOException {
            while (true) {
                var key = key(path);
                var in = Files.newInputStream(path);
                // it may have been renamed in between
                if (Objects.equals(key, key(path))) {
                    boolean packed = path.toString().endsWith(COMPRESSED);
                    return new Opened(path, key, packed ? new GZIPInputStream(in) : in);
                }
                in.close();
            }
        }

        private static @Nullable Object key(Path path) throws IOException {
            return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        }

        boolean is(Path other) throws IOException {
            return Files.exists(other) && key != null && key.equals(key(other));
        }

        @Override
        public String toString() {
            return path.toString();
        }
    }
}
