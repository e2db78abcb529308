package podvm.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import podvm.engine.Digest;
import podvm.engine.ImageEvent;
import podvm.engine.LayerDisk;
import podvm.engine.PodEvent;
import podvm.engine.PodException;
import podvm.image.content.Refusal;
import podvm.image.layer.EarlySync;
import podvm.image.layer.HashedStream;
import podvm.image.layer.LayerLimits;
import podvm.image.layer.LayerWriter;
import podvm.image.layer.VerityTree;
import podvm.image.layer.WrittenLayer;

/**
 * The layer disks of a store: one file per layer, named by the digest of the layer's tar, beside it
 * its hash tree and a record of what was written. Tree and record come first, so a disk without a
 * record is a leftover.
 */
final class LayerStore {
    private static final String DISK = ".erofs";
    private static final String TREE = ".verity";
    private static final String RECORD = ".json";
    private static final Set<PosixFilePermission> READABLE =
            PosixFilePermissions.fromString("r--r--r--");

    private final StoreFiles files;
    private final LayerWriter writer;
    private final ImageEvent.Listener events;
    private final Map<Digest, LayerRecord> records = new ConcurrentHashMap<>();

    LayerStore(StoreFiles files, LayerLimits limits, ImageEvent.Listener events)
            throws PodException {
        this.files = files;
        this.writer = new LayerWriter(limits);
        this.events = events;
        try {
            for (var file : StoreFiles.list(files.records())) {
                read(file);
            }
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "read the layers' records", files.root());
        }
    }

    private void read(Path file) throws IOException {
        try {
            var record = LayerRecord.parse(Files.readAllBytes(file), file);
            records.put(record.diffId(), record);
        } catch (PodException e) {
            // its disk is made anew when it is needed
            Files.delete(file);
        }
    }

    /** For messages. */
    Path directory() {
        return files.root();
    }

    Optional<LayerRecord> record(Digest diffId) {
        return Optional.ofNullable(records.get(diffId));
    }

    /**
     * A disk that is there and, as far as a look at its length and first block tells, whole; a
     * damaged one is set aside.
     */
    Optional<LayerDisk> find(Digest diffId) throws PodException {
        var record = records.get(diffId);
        if (record == null) {
            return Optional.empty();
        }
        try {
            var damage = DiskCheck.quick(file(diffId), record);
            if (damage.isPresent()) {
                setAside(diffId, damage.get());
                return Optional.empty();
            }
            return Optional.of(new LayerDisk(diffId, file(diffId), record.bytes()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "look at layer " + diffId, files.root());
        }
    }

    /** Reads a whole disk; what is wrong with it, or empty. A damaged one is set aside. */
    Optional<String> check(LayerRecord record) throws PodException, InterruptedException {
        try {
            var again = files.newFile("tree-");
            try {
                var disk = file(record.diffId());
                var damage = DiskCheck.whole(disk, tree(record.diffId()), record, again);
                if (damage.isPresent()) {
                    setAside(record.diffId(), damage.get());
                }
                return damage;
            } finally {
                Files.deleteIfExists(again);
            }
        } catch (NoSuchFileException e) {
            return Optional.of("its file is gone");
        } catch (IOException e) {
            throw StoreFailure.of(e, "check layer " + record.diffId(), files.root());
        }
    }

    /** Keeps the bytes for who wants to know what happened; running machines have it open still. */
    private void setAside(Digest diffId, String damage) throws IOException {
        records.remove(diffId);
        var now = Instant.now();
        var name = diffId.hex() + "-" + now.toEpochMilli() + DISK;
        files.publish(file(diffId), files.damaged().resolve(name));
        Files.deleteIfExists(tree(diffId));
        Files.deleteIfExists(recordFile(diffId));
        events.on(
                new ImageEvent(
                        now,
                        LayerBlob.shown(diffId),
                        PodEvent.Severity.WARNING,
                        "LayerDamaged",
                        "disk of layer %s was set aside as %s: %s; a pull or an import brings it back"
                                .formatted(diffId, files.damaged().resolve(name), damage)));
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
            keepOnly(used, files.layers());
            keepOnly(used, files.records());
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "remove unused layers", files.root());
        }
    }

    private void keepOnly(Set<Digest> used, Path directory) throws IOException {
        for (var file : StoreFiles.list(directory)) {
            var name = file.getFileName().toString();
            var diffId = new Digest(name.substring(0, Math.max(0, name.lastIndexOf('.'))));
            if (!used.contains(diffId) || !records.containsKey(diffId)) {
                records.remove(diffId);
                Files.delete(file);
            }
        }
    }

    /** Bytes of the disks that are not among these. */
    long bytesBeside(Set<Digest> used) {
        return records.values().stream()
                .filter(record -> !used.contains(record.diffId()))
                .mapToLong(LayerRecord::bytes)
                .sum();
    }

    /** Removes what was set aside; the bytes that gives back. */
    long forgetDamaged() throws PodException {
        try {
            long bytes = 0;
            for (var file : StoreFiles.list(files.damaged())) {
                bytes += Files.size(file);
                Files.delete(file);
            }
            return bytes;
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "remove damaged layers", files.root());
        }
    }

    private LayerDisk write(Optional<Digest> expected, InputStream tar)
            throws PodException, InterruptedException {
        var what = "write " + expected.map(digest -> "layer " + digest).orElse("root file system");
        try {
            var file = files.newFile("layer-");
            var tree = files.newFile("tree-");
            try {
                return write(file, tree, expected, tar);
            } finally {
                Files.deleteIfExists(file);
                Files.deleteIfExists(tree);
            }
        } catch (IOException e) {
            throw StoreFailure.of(e, what, files.root());
        }
    }

    private LayerDisk write(Path file, Path treeFile, Optional<Digest> expected, InputStream tar)
            throws IOException {
        try (var hashed = new HashedStream(tar);
                var channel =
                        FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.READ);
                var tree = FileChannel.open(treeFile, StandardOpenOption.WRITE)) {
            // VMMs run as other users; set first, so that it is synced with the content
            Files.setPosixFilePermissions(file, READABLE);
            Files.setPosixFilePermissions(treeFile, READABLE);
            WrittenLayer written;
            Digest diffId;
            Digest root;
            try (var _ = new EarlySync(channel)) {
                written = writer.write(hashed, channel);
                diffId = hashed.digest();
                if (expected.isPresent() && !expected.get().equals(diffId)) {
                    throw Refusal.corrupt(
                            "its content is %s, expected %s".formatted(diffId, expected.get()));
                }
                // read back from memory, while the disk is still busy with it
                root = VerityTree.write(channel, diffId, tree);
            }
            channel.force(true);
            tree.force(true);
            var record = new LayerRecord(diffId, written.bytes(), root, written.implied());
            files.publish(treeFile, tree(diffId));
            files.put(recordFile(diffId), record.json());
            files.publish(file, file(diffId));
            records.put(diffId, record);
            return new LayerDisk(diffId, file(diffId), written.bytes());
        }
    }

    Path file(Digest diffId) {
        return files.layers().resolve(diffId.hex() + DISK);
    }

    private Path tree(Digest diffId) {
        return files.layers().resolve(diffId.hex() + TREE);
    }

    private Path recordFile(Digest diffId) {
        return files.records().resolve(diffId.hex() + RECORD);
    }
}
