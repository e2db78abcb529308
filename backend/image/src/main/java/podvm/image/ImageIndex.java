package podvm.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import podvm.engine.Digest;
import podvm.engine.Image;
import podvm.engine.LayerDisk;
import podvm.engine.PodException;

/**
 * Which names lead to which images. Each name is a small file, so that a crash can lose at most the
 * one that was being written; an image is there as long as a name leads to it.
 */
final class ImageIndex {
    private final StoreFiles files;
    private final LayerStore layers;
    private final Map<String, Digest> names = new TreeMap<>();
    private final Map<Digest, Image> images = new HashMap<>();

    private int works;
    private boolean collectionDue;

    ImageIndex(StoreFiles files, LayerStore layers) throws PodException {
        this.files = files;
        this.layers = layers;
        try {
            for (var file : StoreFiles.list(files.references())) {
                read(file);
            }
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "read the image store", files.root());
        }
        collect();
    }

    synchronized List<Image> list() {
        return images.values().stream()
                .map(this::withNames)
                .sorted((one, other) -> one.names().getFirst().compareTo(other.names().getFirst()))
                .toList();
    }

    synchronized Optional<Image> byName(String name) {
        return Optional.ofNullable(names.get(name)).flatMap(this::byId);
    }

    synchronized Optional<Image> byId(Digest id) {
        return Optional.ofNullable(images.get(id)).map(this::withNames);
    }

    synchronized List<Image> byIdPrefix(String hex) {
        return images.values().stream()
                .filter(image -> image.id().hex().startsWith(hex))
                .map(this::withNames)
                .toList();
    }

    /** While work goes on, nothing is collected: its layers are not referred to yet. */
    synchronized Work begin() {
        works++;
        return this::end;
    }

    interface Work extends AutoCloseable {
        @Override
        void close() throws PodException;
    }

    /** Lets names lead to an image whose layers are there; images without a name go. */
    synchronized Image put(ConfigFile config, List<String> added) throws PodException {
        try {
            var image = image(config);
            files.put(configFile(config.id()), config.bytes());
            for (var name : added) {
                files.put(
                        referenceFile(name),
                        Json.bytes(Map.of("name", name, "image", config.id().toString())));
            }
            images.put(config.id(), image);
            added.forEach(name -> names.put(name, config.id()));
            forgetNameless();
            collect();
            return withNames(image);
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "record image " + added, files.root());
        }
    }

    synchronized void remove(List<String> removed) throws PodException {
        try {
            for (var name : removed) {
                Files.deleteIfExists(referenceFile(name));
                names.remove(name);
            }
            forgetNameless();
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "remove image " + removed, files.root());
        }
        collect();
    }

    /** Removes what nothing refers to; at the end of the work that goes on, where there is some. */
    synchronized void collect() throws PodException {
        collectionDue = works > 0;
        if (collectionDue) {
            return;
        }
        var used = new HashSet<Digest>();
        images.values().forEach(image -> image.layers().forEach(disk -> used.add(disk.diffId())));
        layers.keepOnly(used);
        try {
            for (var file : StoreFiles.list(files.configs())) {
                if (!images.containsKey(new Digest(file.getFileName().toString()))) {
                    Files.delete(file);
                }
            }
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "remove unused configurations", files.root());
        }
    }

    private void forgetNameless() {
        images.keySet().retainAll(Set.copyOf(names.values()));
    }

    private synchronized void end() throws PodException {
        works--;
        if (works == 0 && collectionDue) {
            collect();
        }
    }

    /** A name whose image is damaged goes, so that the next pull makes it anew. */
    private void read(Path file) throws IOException {
        try {
            var node = Json.parse(Files.readAllBytes(file), "reference " + file);
            var id = Digest.parse(Json.text(node, "image"));
            if (!images.containsKey(id)) {
                images.put(id, image(ConfigFile.parse(Files.readAllBytes(configFile(id)))));
            }
            names.put(Json.text(node, "name"), id);
        } catch (PodException | NoSuchFileException e) {
            Files.delete(file);
        }
    }

    /**
     * Of a layer that stands in an image more than once the topmost counts: it hides the others
     * wholly, and a file system cannot be stacked on itself.
     */
    private Image image(ConfigFile config) throws PodException {
        var topmost = new LinkedHashSet<>(config.diffIds().reversed());
        var disks = new ArrayList<LayerDisk>();
        for (var diffId : topmost) {
            disks.addFirst(
                    layers.find(diffId)
                            .orElseThrow(() ->
                                    new PodException(
                                            PodException.Kind.NOT_FOUND,
                                            "layer %s of image %s is not there"
                                                    .formatted(diffId, config.id()),
                                            "pull the image again")));
        }
        return new Image(
                config.id(),
                List.of(),
                List.copyOf(disks),
                config.config(),
                config.platform(),
                config.created());
    }

    private Image withNames(Image image) {
        var own =
                names.entrySet().stream()
                        .filter(entry -> entry.getValue().equals(image.id()))
                        .map(Map.Entry::getKey)
                        .toList();
        return new Image(
                image.id(), own, image.layers(), image.config(), image.platform(), image.created());
    }

    private Path configFile(Digest id) {
        return files.configs().resolve(id.hex());
    }

    private Path referenceFile(String name) {
        var digest = Sha256.of(name.getBytes(StandardCharsets.UTF_8));
        return files.references().resolve(digest.hex() + ".json");
    }
}
