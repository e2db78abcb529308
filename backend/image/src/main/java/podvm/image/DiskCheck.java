package podvm.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import podvm.engine.Digest;
import podvm.image.export.ErofsDisk;

/** Tells whether a layer disk still is what was written. */
final class DiskCheck {
    private static final int CHUNK = 1 << 20;

    private DiskCheck() {}

    /** Costs one small read: the length, and the first block's own checksum. */
    static Optional<String> quick(Path file, LayerRecord record) throws IOException {
        try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (channel.size() != record.bytes()) {
                return Optional.of(
                        "it has %d bytes, %d were written"
                                .formatted(channel.size(), record.bytes()));
            }
            return ErofsDisk.beginsWhole(channel)
                    ? Optional.empty()
                    : Optional.of("the checksum of its first block is wrong");
        }
    }

    static Optional<String> whole(Path file, LayerRecord record) throws IOException {
        try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
            var actual = digest(channel);
            return actual.equals(record.disk())
                    ? Optional.empty()
                    : Optional.of(
                            "its bytes are %s, %s was written".formatted(actual, record.disk()));
        }
    }

    /** Of all bytes of the file. */
    static Digest digest(FileChannel channel) throws IOException {
        var hash = Sha256.begin();
        var buffer = ByteBuffer.allocateDirect(CHUNK);
        for (long at = 0; ; ) {
            buffer.clear();
            int got = channel.read(buffer, at);
            if (got < 0) {
                return Sha256.end(hash);
            }
            hash.update(buffer.flip());
            at += got;
        }
    }
}
