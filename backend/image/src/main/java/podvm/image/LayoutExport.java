package podvm.image;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.security.DigestOutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;
import podvm.engine.Digest;
import podvm.engine.ImageExport;
import podvm.engine.Images.LayerPacking;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.image.content.Json;
import podvm.image.content.Sha256;
import podvm.image.export.CountedOutput;
import podvm.image.export.LayerTar;
import podvm.image.export.Layout;

/**
 * Writes an image as an OCI layout. Each layer is made twice, first for its digest and length
 * alone, so that nothing has to be kept beside the store.
 */
record LayoutExport(ImageIndex index, LayerStore layers) {
    private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    private static final String INDEX = "application/vnd.oci.image.index.v1+json";
    private static final String CONFIG = "application/vnd.oci.image.config.v1+json";
    private static final String LAYER = "application/vnd.oci.image.layer.v1.tar";

    /**
     * @param diffId of the tar that was made
     * @param blob of its packed form
     */
    private record Made(LayerRecord source, Digest diffId, Digest blob, long bytes) {}

    /**
     * @param name that the archive gives it; empty: none
     */
    ImageExport export(
            ConfigFile config,
            Optional<ImageReference> name,
            LayerPacking packing,
            OutputStream out,
            Progress progress)
            throws PodException, InterruptedException, IOException {
        try (var _ = index.begin()) {
            var made = new HashMap<Digest, Made>();
            for (var diffId : config.diffIds()) {
                if (!made.containsKey(diffId)) {
                    made.put(diffId, make(diffId, packing, progress));
                }
            }
            var order = config.diffIds().stream().map(made::get).toList();
            var exported = ExportedConfig.of(config, order.stream().map(Made::diffId).toList());
            var counted = new CountedOutput(out);
            layout(exported, order, name, packing, progress).write(counted);
            return new ImageExport(config.id(), Sha256.of(exported), counted.bytes());
        }
    }

    /** A damaged disk must not pass on its damage. */
    private Made make(Digest diffId, LayerPacking packing, Progress progress)
            throws PodException, InterruptedException {
        var record = layers.record(diffId);
        var damage = record.isEmpty() ? Optional.of("it is not there") : layers.check(record.get());
        if (damage.isPresent()) {
            index.layerLost(diffId);
            throw new PodException(
                    PodException.Kind.CORRUPT,
                    "layer %s is damaged: %s".formatted(diffId, damage.get()),
                    "pull or import the image again");
        }
        var step = LayerBlob.shown(diffId);
        progress.at(step, 0, record.get().bytes());
        try {
            var blobHash = Sha256.begin();
            var tarHash = Sha256.begin();
            var counted =
                    new CountedOutput(
                            new DigestOutputStream(OutputStream.nullOutputStream(), blobHash));
            try (var packed = pack(counted, packing)) {
                var tar = new DigestOutputStream(new Interruptible(packed), tarHash);
                LayerTar.write(layers.file(diffId), record.get().implied(), tar);
            }
            progress.at(step, record.get().bytes(), record.get().bytes());
            return new Made(
                    record.get(), Sha256.end(tarHash), Sha256.end(blobHash), counted.bytes());
        } catch (IOException e) {
            throw StoreFailure.of(e, "read layer " + diffId, layers.directory());
        }
    }

    private Layout layout(
            byte[] config,
            List<Made> order,
            Optional<ImageReference> name,
            LayerPacking packing,
            Progress progress) {
        var type = packing == LayerPacking.GZIP ? LAYER + "+gzip" : LAYER;
        var described = new ArrayList<Map<String, Object>>();
        order.forEach(made -> described.add(descriptor(type, made.blob(), made.bytes())));
        var manifest =
                Json.bytes(
                        Map.of(
                                "schemaVersion",
                                2,
                                "mediaType",
                                MANIFEST,
                                "config",
                                descriptor(CONFIG, Sha256.of(config), config.length),
                                "layers",
                                described));
        var root = descriptor(MANIFEST, Sha256.of(manifest), manifest.length);
        name.ifPresent(given -> root.put("annotations", annotations(given)));
        var index =
                Json.bytes(
                        Map.of("schemaVersion", 2, "mediaType", INDEX, "manifests", List.of(root)));
        var layout = new Layout(index);
        layout.add(Sha256.of(manifest), manifest.length, out -> out.write(manifest));
        layout.add(Sha256.of(config), config.length, out -> out.write(config));
        for (var made : order) {
            layout.add(made.blob(), made.bytes(), out -> write(made, packing, out, progress));
        }
        return layout;
    }

    private void write(Made made, LayerPacking packing, OutputStream out, Progress progress)
            throws IOException {
        var step = "layer " + made.blob().hex().substring(0, 12);
        progress.at(step, 0, made.bytes());
        var packed = pack(new KeptOpen(out), packing);
        LayerTar.write(layers.file(made.source().diffId()), made.source().implied(), packed);
        packed.close();
        progress.at(step, made.bytes(), made.bytes());
    }

    private static OutputStream pack(OutputStream out, LayerPacking packing) throws IOException {
        return switch (packing) {
            case PLAIN -> out;
            case GZIP -> new GZIPOutputStream(out, 1 << 16);
        };
    }

    private static Map<String, Object> descriptor(String type, Digest digest, long bytes) {
        var fields = new TreeMap<String, Object>();
        fields.put("mediaType", type);
        fields.put("digest", digest.toString());
        fields.put("size", bytes);
        return fields;
    }

    /** The whole name as containerd writes it; the tag alone where the specification wants it. */
    private static Map<String, String> annotations(ImageReference name) {
        return Map.of(
                "io.containerd.image.name", name.full(),
                "org.opencontainers.image.ref.name", name.tag().orElse("latest"));
    }

    /** Closing what packs must not close the archive. */
    private static final class KeptOpen extends FilterOutputStream {
        KeptOpen(OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            out.write(from, offset, length);
        }

        @Override
        public void close() throws IOException {
            out.flush();
        }
    }

    /** Hashing reads and writes nothing that an interrupt would end. */
    private static final class Interruptible extends FilterOutputStream {
        Interruptible(OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            if (Thread.currentThread().isInterrupted()) {
                throw new InterruptedIOException("export");
            }
            out.write(from, offset, length);
        }
    }
}
