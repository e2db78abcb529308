package podvm.image;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import podvm.image.export.ErofsDisk;
import podvm.image.layer.VerityTree;

/** Tells whether a layer disk still is what was written. */
final class DiskCheck {
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

    /**
     * Reads all of it.
     *
     * @param tree the hash tree that stands beside the disk
     * @param again an empty file, to make the tree again in
     */
    static Optional<String> whole(Path file, Path tree, LayerRecord record, Path again)
            throws IOException {
        var length = quick(file, record);
        if (length.isPresent()) {
            return length;
        }
        try (var disk = FileChannel.open(file, StandardOpenOption.READ);
                var made = FileChannel.open(again, StandardOpenOption.WRITE)) {
            var root = VerityTree.write(disk, record.diffId(), made);
            if (!root.equals(record.verityRoot())) {
                return Optional.of(
                        "its root hash is %s, %s was written".formatted(root, record.verityRoot()));
            }
        }
        return Files.mismatch(tree, again) < 0
                ? Optional.empty()
                : Optional.of("the hash tree beside it is not the disk's");
    }
}
