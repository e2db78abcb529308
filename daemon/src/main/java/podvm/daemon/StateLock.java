package podvm.daemon;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * Keeps a second daemon away from a state directory. The kernel drops the lock when its holder
 * dies, however it dies.
 */
final class StateLock implements AutoCloseable {
    private final FileChannel file;

    private StateLock(FileChannel file) {
        this.file = file;
    }

    static StateLock take(Path directory) throws PodException {
        var path = directory.resolve("lock");
        try {
            var file = FileChannel.open(path, CREATE, READ, WRITE);
            if (file.tryLock() == null) {
                file.close();
                throw new PodException(
                        Kind.CONFLICT,
                        "another podvmd (pid "
                                + Files.readString(path).strip()
                                + ") uses "
                                + directory,
                        "talk to that one, or choose another directory with PODVM_STATE");
            }
            file.truncate(0);
            file.write(
                    ByteBuffer.wrap(
                            (ProcessHandle.current().pid() + "\n")
                                    .getBytes(StandardCharsets.US_ASCII)));
            return new StateLock(file);
        } catch (IOException e) {
            throw new PodException(
                    Kind.DENIED, "cannot lock " + path + ": " + e.getMessage(), "", e);
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
