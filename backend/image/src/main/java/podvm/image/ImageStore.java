package podvm.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.Image;
import podvm.engine.Images;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;
import podvm.image.registry.Credentials;
import podvm.image.registry.Registries;

/** The images of a node, in one directory that one process at a time may use. */
public final class ImageStore implements Images, AutoCloseable {
    private static final Pattern ID_START = Pattern.compile("(sha256:)?([0-9a-f]{6,64})");
    private static final String DIGEST = "@sha256:";

    private final StoreLock lock;
    private final ImageIndex index;
    private final ArchiveLoad archives;
    private final ImagePull pulls;

    private ImageStore(StoreFiles files, StoreLock lock, ImageOptions options) throws PodException {
        this.lock = lock;
        var layers = new LayerStore(files, options.layerLimits());
        this.index = new ImageIndex(files, layers);
        var install = new ImageInstall(index, layers, options.parallelLayers());
        this.archives = new ArchiveLoad(files, layers, index, install, options);
        this.pulls =
                new ImagePull(
                        new Registries(options.registries()),
                        install,
                        new PlatformChoice(options.platform()));
    }

    /** Makes the directory where it is missing, and tidies up after a crash. */
    public static ImageStore open(Path directory, ImageOptions options) throws PodException {
        var files = new StoreFiles(directory);
        StoreLock lock = null;
        try {
            Files.createDirectories(directory);
            lock = StoreLock.take(directory);
            files.make();
            var store = new ImageStore(files, lock, options);
            lock = null;
            return store;
        } catch (IOException e) {
            throw StoreFailure.ofFiles(e, "open the image store", directory);
        } finally {
            if (lock != null) {
                lock.close();
            }
        }
    }

    @Override
    public Image pull(String reference, PullPolicy policy, Progress progress, Deadline deadline)
            throws PodException, InterruptedException {
        return pull(reference, policy, Optional.empty(), progress, deadline);
    }

    /**
     * @param credentials for the image's registry; empty: what docker login left
     */
    public Image pull(
            String reference,
            PullPolicy policy,
            Optional<Credentials> credentials,
            Progress progress,
            Deadline deadline)
            throws PodException, InterruptedException {
        var parsed = ImageReference.parse(reference);
        var known = index.byName(parsed.full());
        return switch (policy) {
            case ALWAYS -> pulls.pull(reference, parsed, credentials, progress, deadline);
            case IF_NOT_PRESENT ->
                    known.isPresent()
                            ? known.get()
                            : pulls.pull(reference, parsed, credentials, progress, deadline);
            case NEVER -> known.orElseThrow(() -> absent(parsed));
        };
    }

    @Override
    public Optional<Image> find(String referenceOrId) throws PodException {
        var start = ID_START.matcher(referenceOrId);
        if (!start.matches()) {
            return index.byName(ImageReference.parse(referenceOrId).full());
        }
        var hex = start.group(2);
        if (hex.length() == 64) {
            return index.byId(new Digest(hex));
        }
        if (isName(referenceOrId)) {
            return index.byName(ImageReference.parse(referenceOrId).full());
        }
        return byIdStart(referenceOrId, hex);
    }

    @Override
    public List<Image> list() {
        return index.list();
    }

    @Override
    public List<Image> load(InputStream archive, Optional<String> name, Progress progress)
            throws PodException, InterruptedException {
        return archives.load(archive, name, progress);
    }

    @Override
    public void remove(String referenceOrId) throws PodException {
        var image =
                find(referenceOrId)
                        .orElseThrow(() ->
                                new PodException(
                                        PodException.Kind.NOT_FOUND,
                                        "no image " + referenceOrId,
                                        "see 'podvm images'"));
        index.remove(isName(referenceOrId) ? namesToGo(image, referenceOrId) : image.names());
    }

    @Override
    public void close() throws PodException {
        pulls.close();
        lock.close();
    }

    /** With a repository's last tag goes the name by digest that came with it. */
    private static List<String> namesToGo(Image image, String text) throws PodException {
        var reference = ImageReference.parse(text);
        var full = reference.full();
        boolean lastTag =
                image.names().stream()
                        .filter(name -> !name.equals(full))
                        .noneMatch(name ->
                                name.startsWith(reference.name() + ":") && !name.contains(DIGEST));
        return image.names().stream()
                .filter(name ->
                        name.equals(full)
                                || (lastTag && name.startsWith(reference.name() + DIGEST)))
                .toList();
    }

    /** A few hex digits may be either; a name that is there counts first. */
    private boolean isName(String text) throws PodException {
        var start = ID_START.matcher(text);
        if (!start.matches()) {
            return true;
        }
        return start.group(1) == null
                && start.group(2).length() < 64
                && index.byName(ImageReference.parse(text).full()).isPresent();
    }

    private Optional<Image> byIdStart(String text, String hex) throws PodException {
        var found = index.byIdPrefix(hex);
        if (found.size() > 1) {
            throw new PodException(
                    PodException.Kind.INVALID,
                    "%d images have ids that begin with %s".formatted(found.size(), text),
                    "give more digits");
        }
        return found.stream().findFirst();
    }

    private static PodException absent(ImageReference reference) {
        return new PodException(
                PodException.Kind.NOT_FOUND,
                "image %s is not on this node and its pull policy is Never"
                        .formatted(reference.full()),
                "podvm pull " + reference.full());
    }
}
