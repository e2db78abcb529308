package podvm.journal;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import podvm.engine.Journals;
import podvm.engine.PodEvent;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodRecord;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Records in {@code <directory>/<pod id>/pod.json}, beside the pod's logs. A record is written to a
 * second file, synced and renamed, so that a reader finds the old one or the new one, whole.
 */
public final class JournalFiles implements Journals {
    private static final String RECORD = "pod.json";
    private static final String UNREADABLE = "pod.json.unreadable";

    private final Path directory;
    private final PodEvent.Listener events;
    private final JsonMapper json = RecordJson.mapper();

    /**
     * @param directory exists and belongs to this daemon alone
     */
    public JournalFiles(Path directory, PodEvent.Listener events) {
        this.directory = directory;
        this.events = events;
    }

    @Override
    public void write(PodRecord record) throws PodException {
        var home = directory.resolve(record.id().text());
        var file = home.resolve(RECORD);
        var next = home.resolve(RECORD + ".next");
        try {
            boolean fresh = !Files.isDirectory(home);
            if (fresh) {
                Files.createDirectories(
                        home,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
            }
            var bytes = ByteBuffer.wrap(json.writeValueAsBytes(record));
            try (var out = FileChannel.open(next, CREATE, WRITE, TRUNCATE_EXISTING)) {
                while (bytes.hasRemaining()) {
                    out.write(bytes);
                }
                out.force(false);
            }
            Files.move(next, file, ATOMIC_MOVE);
            sync(home);
            if (fresh) {
                sync(directory);
            }
        } catch (IOException e) {
            var full = e.getMessage() != null && e.getMessage().contains("No space left");
            throw new PodException(
                    full ? Kind.EXHAUSTED : Kind.DENIED,
                    "cannot write the journal of pod "
                            + record.id().brief()
                            + " in "
                            + home
                            + ": "
                            + e.getMessage(),
                    full ? "free space on that file system" : "",
                    e);
        }
    }

    /** A rename is durable when its directory is. */
    private static void sync(Path home) throws IOException {
        try (var handle = FileChannel.open(home, READ)) {
            handle.force(true);
        }
    }

    @Override
    public List<PodRecord> readAll() throws PodException {
        var records = new ArrayList<PodRecord>();
        try (var homes = Files.list(directory)) {
            for (var home : homes.sorted().toList()) {
                var file = home.resolve(RECORD);
                try {
                    records.add(json.readValue(Files.readAllBytes(file), PodRecord.class));
                } catch (NoSuchFileException e) {
                    delete(PodId.parse(home.getFileName().toString()));
                } catch (JacksonException e) {
                    Files.move(file, home.resolve(UNREADABLE));
                    events.on(
                            new PodEvent(
                                    Instant.now(),
                                    PodId.parse(home.getFileName().toString()),
                                    "",
                                    PodEvent.Severity.WARNING,
                                    "JournalUnreadable",
                                    "set aside as "
                                            + home.resolve(UNREADABLE)
                                            + ": "
                                            + e.getOriginalMessage()));
                }
            }
        } catch (IOException | UncheckedIOException e) {
            throw new PodException(
                    Kind.CORRUPT,
                    "cannot read the journal in " + directory + ": " + e.getMessage(),
                    "",
                    e);
        }
        return records;
    }

    @Override
    public void delete(PodId pod) throws PodException {
        var home = directory.resolve(pod.text());
        try {
            // first the record: a deletion that is cut short must not bring the pod back
            Files.deleteIfExists(home.resolve(RECORD));
            deleteTree(home);
        } catch (IOException e) {
            throw new PodException(
                    Kind.DENIED, "cannot delete " + home + ": " + e.getMessage(), "", e);
        }
    }

    private static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        Files.walkFileTree(
                root,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.delete(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(
                            Path folder, @Nullable IOException failure) throws IOException {
                        if (failure != null) {
                            throw failure;
                        }
                        Files.delete(folder);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    @Override
    public Path logs(PodId pod) {
        return directory.resolve(pod.text()).resolve("logs");
    }
}
