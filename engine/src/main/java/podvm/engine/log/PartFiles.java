package podvm.engine.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Our own log files of a container, as {@link LogParts} writes them. */
record PartFiles(Path directory) implements LogSuccession {
    @Override
    public Optional<Path> after(Optional<Opened> before) throws IOException {
        return LogFiles.list(directory).stream()
                .filter(file -> before.isEmpty() || file.compareTo(before.get().path()) > 0)
                .findFirst();
    }

    @Override
    public boolean isGap(Opened before, Path next) {
        return LogFiles.between(before.path(), next);
    }

    @Override
    public boolean isBefore(Optional<Opened> current, Path other) {
        return other.startsWith(directory)
                && (current.isEmpty() || current.get().path().compareTo(other) < 0);
    }
}
