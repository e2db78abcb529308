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
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Records in {@code <directory>/<id>/<name>}, beside whatever else is kept there. A record is
 * written to a second file, synced and renamed, so that a reader finds the old one or the new one,
 * whole.
 */
final class RecordDirectory<R> {
    static final String POD = "pod.json";
    static final String SANDBOX = "sandbox.json";

    /** A directory belongs to a pod or to a pod sandbox, and holds its disk and its logs, too. */
    private static final List<String> KINDS = List.of(POD, SANDBOX);

    private static final String UNREADABLE = ".unreadable";

    private final Path directory;
    private final String name;
    private final Class<R> type;
    private final Unreadable unreadable;
    private final JsonMapper json = RecordJson.mapper();

    /** Hears of a record that was set aside. */
    @FunctionalInterface
    interface Unreadable {
        void setAside(String id, Path file, String why) throws PodException;
    }

    /**
     * @param directory exists and belongs to this daemon alone
     */
    RecordDirectory(Path directory, String name, Class<R> type, Unreadable unreadable) {
        this.directory = directory;
        this.name = name;
        this.type = type;
        this.unreadable = unreadable;
    }

    Path home(String id) {
        return directory.resolve(id);
    }

    /**
     * @param what for messages: "pod 3f1c9d"
     */
    void write(String id, String what, R record) throws PodException {
        var home = home(id);
        var file = home.resolve(name);
        var next = home.resolve(name + ".next");
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
                    "cannot write the journal of " + what + " in " + home + ": " + e.getMessage(),
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

    private static boolean has(Path home, String kind) {
        return Files.exists(home.resolve(kind)) || Files.exists(home.resolve(kind + UNREADABLE));
    }

    /** What has no record of any kind is what a deletion left, and goes. */
    List<R> readAll() throws PodException {
        var records = new ArrayList<R>();
        try (var homes = Files.list(directory)) {
            for (var home : homes.sorted().toList()) {
                var id = home.getFileName().toString();
                var file = home.resolve(name);
                try {
                    records.add(json.readValue(Files.readAllBytes(file), type));
                } catch (NoSuchFileException e) {
                    if (KINDS.stream().noneMatch(kind -> has(home, kind))) {
                        delete(id);
                    }
                } catch (JacksonException e) {
                    var aside = home.resolve(name + UNREADABLE);
                    Files.move(file, aside);
                    unreadable.setAside(id, aside, e.getOriginalMessage());
                }
            }
        } catch (UncheckedIOException | IOException e) {
            throw new PodException(
                    Kind.CORRUPT,
                    "cannot read the journal in " + directory + ": " + e.getMessage(),
                    "",
                    e);
        }
        return records;
    }

    void delete(String id) throws PodException {
        var home = home(id);
        try {
            // first the record: a deletion that is cut short must not bring it back
            Files.deleteIfExists(home.resolve(name));
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
}
