package podvm.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The directories of a store, and the one way a file gets its name: written elsewhere, synced, then
 * renamed, so that a crash leaves either nothing or all of it.
 *
 * @param root the store's directory
 */
record StoreFiles(Path root) {
    Path layers() {
        return root.resolve("layers/sha256");
    }

    /** What was written of each layer. */
    Path records() {
        return root.resolve("records/sha256");
    }

    Path configs() {
        return root.resolve("configs/sha256");
    }

    /** Which images have a layer of directories on top, and which. */
    Path tops() {
        return root.resolve("tops/sha256");
    }

    Path references() {
        return root.resolve("references");
    }

    /** Layer disks that are no longer what was written. */
    Path damaged() {
        return root.resolve("damaged");
    }

    /** Work that is not finished; emptied when the store is opened. */
    Path unfinished() {
        return root.resolve("tmp");
    }

    void make() throws IOException {
        for (var directory :
                List.of(
                        layers(),
                        records(),
                        configs(),
                        tops(),
                        references(),
                        damaged(),
                        unfinished())) {
            Files.createDirectories(directory);
        }
        for (var left : list(unfinished())) {
            Files.delete(left);
        }
    }

    Path newFile(String prefix) throws IOException {
        return Files.createTempFile(unfinished(), prefix, "");
    }

    void put(Path target, byte[] content) throws IOException {
        var file = newFile("file-");
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            var buffer = ByteBuffer.wrap(content);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            channel.force(true);
            publish(file, target);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    /** Gives a synced file its final name. */
    void publish(Path file, Path target) throws IOException {
        Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
        sync(target.resolveSibling("."));
    }

    static List<Path> list(Path directory) throws IOException {
        var found = new ArrayList<Path>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
            stream.forEach(found::add);
        }
        found.sort(null);
        return found;
    }

    private static void sync(Path directory) throws IOException {
        try (var channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
