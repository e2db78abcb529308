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

/** A directory per container, in which the oldest files go when there are too many. */
final class LogParts implements LogPlace {
    private final Path directory;
    private final int attempt;
    private final LogWriter.Limits limits;
    private final LogHolds holds;
    private int part;

    LogParts(Path directory, int attempt, LogWriter.Limits limits, LogHolds holds) {
        this.directory = directory;
        this.attempt = attempt;
        this.limits = limits;
        this.holds = holds;
    }

    @Override
    public FileChannel open() throws IOException {
        Files.createDirectories(directory);
        var existing = LogFiles.ofAttempt(directory, attempt);
        part = existing.isEmpty() ? 0 : LogFiles.part(existing.getLast());
        return file();
    }

    @Override
    public List<Path> written() throws IOException {
        return LogFiles.ofAttempt(directory, attempt);
    }

    @Override
    public Optional<FileChannel> next(long size) throws IOException {
        if (size <= limits.maxFileBytes()) {
            return Optional.empty();
        }
        part++;
        return Optional.of(file());
    }

    private FileChannel file() throws IOException {
        var file = FileChannel.open(LogFiles.name(directory, attempt, part), CREATE, READ, WRITE);
        deleteOldest();
        return file;
    }

    /**
     * Each attempt begins a file too: a container that crashes again and again must not fill the
     * disk.
     */
    private void deleteOldest() throws IOException {
        var files = LogFiles.list(directory);
        for (var old : files.subList(0, Math.max(0, files.size() - limits.maxFiles()))) {
            holds.awaitReaders(old);
            Files.deleteIfExists(old);
        }
    }

    @Override
    public String toString() {
        return directory.toString();
    }
}
