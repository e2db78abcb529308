package podvm.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import podvm.engine.Digest;
import podvm.engine.LayerDisk;
import podvm.engine.PodException;
import podvm.image.layer.EarlySync;
import podvm.image.layer.HashedStream;
import podvm.image.layer.LayerLimits;
import podvm.image.layer.LayerWriter;

/** The layer disks of a store, one file per layer, named by the digest of the layer's tar. */
final class LayerStore {
    private static final String SUFFIX = ".erofs";

    private final StoreFiles files;
    private final LayerWriter writer;

    LayerStore(StoreFiles files, LayerLimits limits) {
        this.files = files;
        this.writer = new LayerWriter(limits);
    }

    /** For messages. */
    Path directory() {
        return files.root();
    }

    Optional<LayerDisk> find(Digest diffId) throws PodException {
        var file = file(diffId);
        try {
            return Optional.of(new LayerDisk(diffId, file, Files.size(file)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "look for layer " + diffId, files.root());
        }
    }

    /**
     * Makes the disk of a layer whose tar must have this digest.
     *
     * @param tar unpacked
     */
    LayerDisk put(Digest diffId, InputStream tar) throws PodException, InterruptedException {
        return write(Optional.of(diffId), tar);
    }

    /** Makes the disk of a layer whose digest is not known before. */
    LayerDisk put(InputStream tar) throws PodException, InterruptedException {
        return write(Optional.empty(), tar);
    }

    void keepOnly(Set<Digest> used) throws PodException {
        try {
            for (var file : StoreFiles.list(files.layers())) {
                var name = file.getFileName().toString();
                var hex = name.substring(0, Math.max(0, name.length() - SUFFIX.length()));
                if (!used.contains(new Digest(hex))) {
                    Files.delete(file);
                }
            }
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "remove unused layers", files.root());
        }
    }

    private LayerDisk write(Optional<Digest> expected, InputStream tar)
            throws PodException, InterruptedException {
        var what = "write " + expected.map(digest -> "layer " + digest).orElse("root file system");
        try {
            var file = files.newFile("layer-");
            try {
                return write(file, expected, tar);
            } finally {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw StoreFailure.of(e, what, files.root());
        }
    }

    private LayerDisk write(Path file, Optional<Digest> expected, InputStream tar)
            throws IOException {
        try (var hashed = new HashedStream(tar);
                var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            // VMMs run as other users; set first, so that it is synced with the content
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r--r--"));
            long bytes = writeAndSync(hashed, channel);
            var diffId = hashed.digest();
            if (expected.isPresent() && !expected.get().equals(diffId)) {
                throw Refusal.corrupt(
                        "its content is %s, expected %s".formatted(diffId, expected.get()));
            }
            files.publish(file, file(diffId));
            return new LayerDisk(diffId, file(diffId), bytes);
        }
    }

    private long writeAndSync(InputStream tar, FileChannel channel) throws IOException {
        long bytes;
        try (var _ = new EarlySync(channel)) {
            bytes = writer.write(tar, channel);
        }
        channel.force(true);
        return bytes;
    }

    private Path file(Digest diffId) {
        return files.layers().resolve(diffId.hex() + SUFFIX);
    }
}
