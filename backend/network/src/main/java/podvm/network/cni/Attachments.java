package podvm.network.cni;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import tools.jackson.core.JacksonException;

/**
 * A record per pod in {@code <directory>/<pod id>.json}. It is written beside, synced and renamed:
 * a reader finds the old one or the new one, whole.
 */
record Attachments(Path directory) {
    private static final String SUFFIX = ".json";

    void write(Attachment attachment) throws PodException {
        var file = file(attachment.pod());
        var next = directory.resolve(attachment.pod() + ".next");
        try {
            Files.createDirectories(directory);
            var bytes = ByteBuffer.wrap(Json.bytes(attachment));
            try (var out = FileChannel.open(next, CREATE, WRITE, TRUNCATE_EXISTING)) {
                while (bytes.hasRemaining()) {
                    out.write(bytes);
                }
                out.force(false);
            }
            Files.move(next, file, ATOMIC_MOVE);
            sync();
        } catch (IOException e) {
            throw new PodException(
                    Kind.UNAVAILABLE,
                    "cannot write the network record " + file + ": " + e.getMessage(),
                    "is there space, and is it writable?",
                    e);
        }
    }

    Optional<Attachment> read(PodId pod) throws PodException {
        var file = file(pod.text());
        try {
            return Optional.of(Json.MAPPER.readValue(Files.readAllBytes(file), Attachment.class));
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (IOException | JacksonException e) {
            throw new PodException(
                    Kind.CORRUPT,
                    "cannot read the network record " + file + ": " + e.getMessage(),
                    "what the plugins gave to the pod must be given back by hand; then remove it",
                    e);
        }
    }

    void delete(PodId pod) throws PodException {
        try {
            if (Files.deleteIfExists(file(pod.text()))) {
                sync();
            }
        } catch (IOException e) {
            throw new PodException(
                    Kind.UNAVAILABLE,
                    "cannot remove the network record " + file(pod.text()) + ": " + e.getMessage(),
                    "",
                    e);
        }
    }

    List<PodId> all() throws PodException {
        var pods = new ArrayList<PodId>();
        if (!Files.isDirectory(directory)) {
            return pods;
        }
        try (var files = Files.list(directory)) {
            for (var file : files.sorted().toList()) {
                var name = file.getFileName().toString();
                if (name.endsWith(SUFFIX)) {
                    pods.add(PodId.parse(name.substring(0, name.length() - SUFFIX.length())));
                }
            }
            return pods;
        } catch (IOException e) {
            throw new PodException(
                    Kind.UNAVAILABLE, "cannot list " + directory + ": " + e.getMessage(), "", e);
        }
    }

    private Path file(String pod) {
        return directory.resolve(pod + SUFFIX);
    }

    /** A rename is durable when its directory is. */
    private void sync() throws IOException {
        try (var handle = FileChannel.open(directory, READ)) {
            handle.force(true);
        }
    }
}
