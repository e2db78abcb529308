package podvm.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import podvm.engine.Digest;
import podvm.engine.Image;
import podvm.engine.ImageEvent;
import podvm.engine.ImageRemoval;
import podvm.engine.LayerDisk;
import podvm.engine.PodEvent;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.image.content.Refusal;

/**
 * Which images there are, which names lead to them and which pods hold them. An image is there as
 * long as its configuration is, with or without names; it is usable while all its layers are there.
 */
final class ImageIndex {
    private final StoreFiles files;
    private final LayerStore layers;
    private final ImageEvent.Listener events;
    private final ReferenceFiles references;
    private final TopFiles topFiles;
    private final Map<Digest, Digest> tops;
    private final Map<String, ReferenceFiles.Target> names;
    private final Map<Digest, ConfigFile> configs = new HashMap<>();
    private final Map<Digest, Image> usable = new HashMap<>();
    private final Holds holds = new Holds();

    private int works;
    private boolean collectionDue;

    ImageIndex(StoreFiles files, LayerStore layers, ImageEvent.Listener events)
            throws PodException {
        this.files = files;
        this.layers = layers;
        this.events = events;
        this.references = new ReferenceFiles(files);
        this.topFiles = new TopFiles(files);
        try {
            this.names = references.read();
            this.tops = topFiles.read();
            for (var file : StoreFiles.list(files.configs())) {
                read(file);
            }
            for (var dangling : namesTo(id -> !configs.containsKey(id))) {
                forget(dangling);
            }
            for (var id : List.copyOf(tops.keySet())) {
                if (!configs.containsKey(id)) {
                    setTop(id, Optional.empty());
                }
            }
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "read the image store", files.root());
        }
        collect();
    }

    synchronized List<Image> list() {
        return usable.values().stream()
                .map(this::withNames)
                .sorted((one, other) -> sortKey(one).compareTo(sortKey(other)))
                .toList();
    }

    /** Nameless ones last. */
    private static String sortKey(Image image) {
        return image.names().isEmpty() ? "~" + image.id() : image.names().getFirst();
    }

    synchronized Optional<Digest> idOf(String name) {
        return Optional.ofNullable(names.get(name)).map(ReferenceFiles.Target::image);
    }

    synchronized Optional<Image> byId(Digest id) {
        return Optional.ofNullable(usable.get(id)).map(this::withNames);
    }

    synchronized Optional<ConfigFile> config(Digest id) {
        return Optional.ofNullable(configs.get(id));
    }

    synchronized List<Digest> ids() {
        return List.copyOf(configs.keySet());
    }

    synchronized List<Digest> byIdPrefix(String hex) {
        return configs.keySet().stream().filter(id -> id.hex().startsWith(hex)).toList();
    }

    synchronized List<String> names(Digest id) {
        return namesTo(id::equals);
    }

    /** Names that came with a tag, and that nobody asked for. */
    synchronized List<String> impliedNames(Digest id) {
        return names.entrySet().stream()
                .filter(entry -> entry.getValue().image().equals(id) && !entry.getValue().asked())
                .map(Map.Entry::getKey)
                .toList();
    }

    /**
     * For who will use its layers: looks at them first, and gives up on it where one is damaged.
     */
    synchronized Optional<Image> whole(Digest id) throws PodException {
        if (!usable.containsKey(id)) {
            return Optional.empty();
        }
        for (var disk : usable.get(id).layers()) {
            if (layers.find(disk.diffId()).isEmpty()) {
                layerLost(disk.diffId());
            }
        }
        return byId(id);
    }

    /** Images with this layer cannot be used until it is fetched again. */
    synchronized void layerLost(Digest diffId) {
        usable.values()
                .removeIf(image ->
                        image.layers().stream().anyMatch(disk -> disk.diffId().equals(diffId)));
    }

    synchronized Optional<Digest> top(Digest id) {
        return Optional.ofNullable(tops.get(id));
    }

    /** The layers that an image's pods get, lowest first. */
    synchronized List<Digest> stack(ConfigFile config) {
        var stack = new ArrayList<>(config.stack());
        top(config.id()).ifPresent(stack::add);
        return List.copyOf(stack);
    }

    /** What must be said of an image that is known but cannot be used. */
    synchronized Optional<PodException> damage(Digest id, String shown) {
        if (usable.containsKey(id) || !configs.containsKey(id)) {
            return Optional.empty();
        }
        return Optional.of(
                new PodException(
                        PodException.Kind.CORRUPT,
                        "image %s lacks a layer, which was found damaged or was removed"
                                .formatted(shown),
                        "podvm pull or podvm image import brings it back"));
    }

    synchronized boolean hold(PodId pod, String podName, Digest id) {
        if (!configs.containsKey(id)) {
            return false;
        }
        holds.add(pod, podName, id);
        return true;
    }

    synchronized void release(PodId pod) {
        holds.remove(pod);
    }

    synchronized List<String> holders(Digest id) {
        return holds.of(id);
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

    /**
     * Lets names lead to an image whose layers are there.
     *
     * @param added of several names, digests merely came with a tag
     * @param top a layer of directories that goes on top of the image's own
     */
    synchronized Image put(ConfigFile config, List<String> added, Optional<Digest> top)
            throws PodException {
        try {
            setTop(config.id(), top);
            var image = image(config);
            files.put(configFile(config.id()), config.bytes());
            configs.put(config.id(), config);
            usable.put(config.id(), image);
            for (var name : added) {
                boolean asked = added.size() == 1 || !name.contains(ImageStore.DIGEST);
                var before = names.get(name);
                name(name, config.id(), asked || (before != null && before.asked()));
            }
            collect();
            return withNames(image);
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "record image " + added, files.root());
        }
    }

    synchronized Image tag(Digest id, String name) throws PodException {
        var image =
                byId(id).orElseThrow(() ->
                        new PodException(
                                PodException.Kind.NOT_FOUND, "no image " + id, "podvm image ls"));
        try {
            name(name, id, true);
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "tag image " + name, files.root());
        }
        return withNames(image);
    }

    private void name(String name, Digest id, boolean asked) throws IOException {
        var target = new ReferenceFiles.Target(id, asked);
        references.put(name, target);
        names.put(name, target);
    }

    /** Forgets names of an image, and the image where none is left. */
    synchronized ImageRemoval remove(Digest id, List<String> gone) throws PodException {
        boolean last = Set.copyOf(gone).containsAll(names(id));
        var holders = holds.of(id);
        if (last && !holders.isEmpty()) {
            throw new PodException(
                    PodException.Kind.CONFLICT,
                    "image %s is used by pod%s %s"
                            .formatted(
                                    gone.isEmpty() ? id.toString() : gone.getFirst(),
                                    holders.size() > 1 ? "s" : "",
                                    String.join(", ", holders)),
                    "stop what uses it first");
        }
        return remove(gone, last ? List.of(id) : List.of());
    }

    synchronized ImageRemoval prune(Predicate<Digest> unwanted) throws PodException {
        var ids =
                configs.keySet().stream()
                        .filter(id -> holds.of(id).isEmpty() && unwanted.test(id))
                        .toList();
        return remove(namesTo(ids::contains), ids);
    }

    private ImageRemoval remove(List<String> gone, List<Digest> ids) throws PodException {
        long before = layers.bytesBeside(used());
        try {
            for (var name : gone) {
                forget(name);
            }
            for (var id : ids) {
                Files.deleteIfExists(configFile(id));
                configs.remove(id);
                usable.remove(id);
                setTop(id, Optional.empty());
            }
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "remove image " + gone, files.root());
        }
        long bytes = layers.bytesBeside(used()) - before;
        collect();
        return new ImageRemoval(gone, ids, bytes);
    }

    private void setTop(Digest id, Optional<Digest> top) throws IOException {
        topFiles.set(id, top);
        tops.remove(id);
        top.ifPresent(diffId -> tops.put(id, diffId));
    }

    private void forget(String name) throws IOException {
        references.remove(name);
        names.remove(name);
    }

    /** Removes what nothing refers to; at the end of the work that goes on, where there is some. */
    synchronized void collect() throws PodException {
        collectionDue = works > 0;
        if (!collectionDue) {
            layers.keepOnly(used());
        }
    }

    private Set<Digest> used() {
        var used = new HashSet<Digest>();
        configs.values().forEach(config -> used.addAll(stack(config)));
        return used;
    }

    private synchronized void end() throws PodException {
        works--;
        if (works == 0 && collectionDue) {
            collect();
        }
    }

    /** An image that lost a layer keeps its names, so that the next pull brings it back. */
    private void read(Path file) throws IOException {
        var id = new Digest(file.getFileName().toString());
        try {
            var config = ConfigFile.parse(Files.readAllBytes(file));
            if (!config.id().equals(id)) {
                throw Refusal.corrupt("its content is " + config.id()).finding();
            }
            configs.put(id, config);
            usable.put(id, image(config));
        } catch (PodException e) {
            boolean known = configs.containsKey(id);
            if (!known) {
                Files.delete(file);
            }
            events.on(
                    new ImageEvent(
                            Instant.now(),
                            id.toString(),
                            PodEvent.Severity.WARNING,
                            known ? "ImageIncomplete" : "ImageForgotten",
                            e.describe()));
        }
    }

    private Image image(ConfigFile config) throws PodException {
        var disks = new ArrayList<LayerDisk>();
        for (var diffId : stack(config)) {
            disks.add(
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
        return new Image(
                image.id(),
                names(image.id()),
                image.layers(),
                image.config(),
                image.platform(),
                image.created());
    }

    private List<String> namesTo(Predicate<Digest> image) {
        return names.entrySet().stream()
                .filter(entry -> image.test(entry.getValue().image()))
                .map(Map.Entry::getKey)
                .toList();
    }

    private Path configFile(Digest id) {
        return files.configs().resolve(id.hex());
    }
}
