package podvm.engine.log;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** One file, which somebody else keeps from growing too large. */
record LogPath(Path path) implements LogPlace {
    @Override
    public FileChannel open() throws IOException {
        var directory = path.getParent();
        if (directory != null) {
            Files.createDirectories(directory);
        }
        return FileChannel.open(path, CREATE, READ, WRITE);
    }

    @Override
    public List<Path> written() {
        return List.of(path);
    }

    @Override
    public Optional<FileChannel> next(long size) {
        return Optional.empty();
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
