package podvm.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import podvm.engine.PodException;

/** Keeps a second daemon out of a store; the kernel drops it when the process dies. */
final class StoreLock implements AutoCloseable {
    private final Path directory;
    private final FileChannel file;

    private StoreLock(Path directory, FileChannel file) {
        this.directory = directory;
        this.file = file;
    }

    static StoreLock take(Path directory) throws PodException {
        var path = directory.resolve("lock");
        try {
            var file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (tryLock(file) == null) {
                file.close();
                throw inUse(path);
            }
            var pid = ByteBuffer.wrap(pidLine());
            file.truncate(0);
            file.write(pid, 0);
            return new StoreLock(directory, file);
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "lock the image store", directory);
        }
    }

    @Override
    public void close() throws PodException {
        try {
            file.close();
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "unlock the image store", directory);
        }
    }

    private static @Nullable FileLock tryLock(FileChannel file) throws IOException {
        try {
            return file.tryLock();
        } catch (OverlappingFileLockException e) {
            // taken by this very process
            return null;
        }
    }

    private static PodException inUse(Path path) throws IOException {
        return new PodException(
                PodException.Kind.CONFLICT,
                "image store %s is already in use by process %s"
                        .formatted(path.getParent(), Files.readString(path).strip()),
                "stop that process or choose another directory");
    }

    private static byte[] pidLine() {
        return (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
    }
}
