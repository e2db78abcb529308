package podvm.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import podvm.engine.Credentials;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.Image;
import podvm.engine.ImageDetails;
import podvm.engine.ImageEvent;
import podvm.engine.ImageExport;
import podvm.engine.ImageRemoval;
import podvm.engine.Images;
import podvm.engine.LayerCheck;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;
import podvm.image.registry.Registries;
import podvm.image.trust.SignaturePolicy;

/** The images of a node, in one directory that one process at a time may use. */
public final class ImageStore implements Images, AutoCloseable {
    private static final Pattern ID_START = Pattern.compile("(sha256:)?([0-9a-f]{6,64})");
    static final String DIGEST = "@sha256:";

    private final StoreLock lock;
    private final LayerStore layers;
    private final ImageIndex index;
    private final ArchiveLoad archives;
    private final ImagePull pulls;

    private ImageStore(
            StoreFiles files,
            StoreLock lock,
            ImageOptions options,
            SignaturePolicy policy,
            ImageEvent.Listener events)
            throws PodException {
        this.lock = lock;
        this.layers = new LayerStore(files, options.layerLimits(), events);
        this.index = new ImageIndex(files, layers, events);
        var install = new ImageInstall(index, layers, options.parallelLayers());
        this.archives = new ArchiveLoad(files, layers, index, install, options, policy);
        this.pulls =
                new ImagePull(
                        new Registries(options.registries()),
                        install,
                        new PlatformChoice(options.platform()),
                        policy);
    }

    /** As the other, with trust in every image and nobody to hear of damage. */
    public static ImageStore open(Path directory, ImageOptions options) throws PodException {
        return open(directory, options, SignaturePolicy.ACCEPT_ANYTHING, _ -> {});
    }

    /** Makes the directory where it is missing, and tidies up after a crash. */
    public static ImageStore open(
            Path directory,
            ImageOptions options,
            SignaturePolicy policy,
            ImageEvent.Listener events)
            throws PodException {
        var files = new StoreFiles(directory);
        StoreLock lock = null;
        try {
            Files.createDirectories(directory);
            lock = StoreLock.take(directory);
            files.make();
            var store = new ImageStore(files, lock, options, policy, events);
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
    public Image pull(
            String reference,
            PullPolicy policy,
            Optional<Credentials> credentials,
            Progress progress,
            Deadline deadline)
            throws PodException, InterruptedException {
        var parsed = ImageReference.parse(reference);
        pulls.checkName(parsed);
        var id = index.idOf(parsed.full());
        var known = id.isPresent() ? index.whole(id.get()) : Optional.<Image>empty();
        if (policy == PullPolicy.NEVER) {
            return known.orElseThrow(() -> absent(parsed, id));
        }
        if (policy == PullPolicy.IF_NOT_PRESENT && known.isPresent()) {
            return known.get();
        }
        try {
            return pulls.pull(reference, parsed, credentials, progress, deadline);
        } catch (PodException e) {
            throw id.flatMap(one -> index.damage(one, parsed.full()))
                    .map(damage -> both(damage, e))
                    .orElse(e);
        }
    }

    /** Where it is fetched for the second time only because of damage, a failure says so. */
    private static PodException both(PodException damage, PodException failure) {
        return new PodException(
                failure.kind(),
                "%s; it cannot be fetched again: %s"
                        .formatted(damage.getMessage(), failure.getMessage()),
                damage.remedy(),
                failure);
    }

    @Override
    public boolean hold(PodId pod, String podName, Digest image) {
        return index.hold(pod, podName, image);
    }

    @Override
    public void release(PodId pod) {
        index.release(pod);
    }

    @Override
    public String fullName(String reference) throws PodException {
        return ImageReference.parse(reference).full();
    }

    @Override
    public Optional<Image> find(String referenceOrId) throws PodException {
        return resolve(referenceOrId).flatMap(index::byId);
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
    public ImageDetails details(String referenceOrId) throws PodException {
        return new ImageInspection(index, layers).of(usable(referenceOrId));
    }

    @Override
    public ImageExport export(
            String referenceOrId, LayerPacking packing, OutputStream out, Progress progress)
            throws PodException, InterruptedException, IOException {
        var image = usable(referenceOrId);
        var config = index.config(image.id()).orElseThrow(() -> absent(referenceOrId));
        var name = isName(referenceOrId) ? referenceOrId : firstTag(image).orElse("");
        Optional<ImageReference> parsed =
                name.isEmpty() ? Optional.empty() : Optional.of(ImageReference.parse(name));
        return new LayoutExport(index, layers)
                .export(
                        config,
                        parsed.filter(reference -> reference.digest().isEmpty()),
                        packing,
                        out,
                        progress);
    }

    private static Optional<String> firstTag(Image image) {
        return image.names().stream().filter(name -> !name.contains(DIGEST)).findFirst();
    }

    @Override
    public Image tag(String referenceOrId, String name) throws PodException {
        return index.tag(usable(referenceOrId).id(), ArchiveLoad.fullName(name));
    }

    @Override
    public ImageRemoval remove(String referenceOrId) throws PodException {
        var id = resolve(referenceOrId).orElseThrow(() -> absent(referenceOrId));
        var gone = isName(referenceOrId) ? namesToGo(id, referenceOrId) : index.names(id);
        return index.remove(id, gone);
    }

    @Override
    public ImageRemoval prune(Unwanted unwanted) throws PodException {
        var removal =
                switch (unwanted) {
                    case ALL -> index.prune(_ -> true);
                    case NAMELESS ->
                            index.prune(id -> index.names(id).equals(index.impliedNames(id)));
                };
        return new ImageRemoval(
                removal.names(), removal.images(), removal.bytes() + layers.forgetDamaged());
    }

    @Override
    public List<LayerCheck> verify(Optional<String> referenceOrId, Progress progress)
            throws PodException, InterruptedException {
        var images = index.ids();
        if (referenceOrId.isPresent()) {
            var asked = referenceOrId.get();
            images = List.of(resolve(asked).orElseThrow(() -> absent(asked)));
        }
        return new StoreVerify(index, layers).verify(images, progress);
    }

    @Override
    public void close() throws PodException {
        pulls.close();
        lock.close();
    }

    private Image usable(String referenceOrId) throws PodException {
        var id = resolve(referenceOrId).orElseThrow(() -> absent(referenceOrId));
        var image = index.byId(id);
        if (image.isEmpty()) {
            throw index.damage(id, referenceOrId).orElseGet(() -> absent(referenceOrId));
        }
        return image.get();
    }

    private Optional<Digest> resolve(String referenceOrId) throws PodException {
        var start = ID_START.matcher(referenceOrId);
        if (!start.matches() || isName(referenceOrId)) {
            return index.idOf(ImageReference.parse(referenceOrId).full());
        }
        var hex = start.group(2);
        return hex.length() == 64
                ? index.config(new Digest(hex)).map(ConfigFile::id)
                : byIdStart(referenceOrId, hex);
    }

    /** With a repository's last tag goes the name by digest that came with it. */
    private List<String> namesToGo(Digest id, String text) throws PodException {
        var reference = ImageReference.parse(text);
        var full = reference.full();
        var names = index.names(id);
        boolean lastTag =
                names.stream()
                        .filter(name -> !name.equals(full))
                        .noneMatch(name ->
                                name.startsWith(reference.name() + ":") && !name.contains(DIGEST));
        var implied = lastTag ? index.impliedNames(id) : List.<String>of();
        return names.stream()
                .filter(name ->
                        name.equals(full)
                                || (implied.contains(name)
                                        && name.startsWith(reference.name() + DIGEST)))
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
                && index.idOf(ImageReference.parse(text).full()).isPresent();
    }

    private Optional<Digest> byIdStart(String text, String hex) throws PodException {
        var found = index.byIdPrefix(hex);
        if (found.size() > 1) {
            throw new PodException(
                    PodException.Kind.INVALID,
                    "%d images have ids that begin with %s".formatted(found.size(), text),
                    "give more digits");
        }
        return found.stream().findFirst();
    }

    private PodException absent(ImageReference reference, Optional<Digest> known) {
        return known.flatMap(id -> index.damage(id, reference.full()))
                .orElseGet(() ->
                        new PodException(
                                PodException.Kind.NOT_FOUND,
                                "image %s is not on this node and its pull policy is Never"
                                        .formatted(reference.full()),
                                "podvm pull " + reference.full()));
    }

    private static PodException absent(String referenceOrId) {
        return new PodException(
                PodException.Kind.NOT_FOUND,
                "no image " + referenceOrId,
                "podvm image ls shows those there are");
    }
}
