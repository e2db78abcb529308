package podvm.engine.fake;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import podvm.engine.Credentials;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.Image;
import podvm.engine.ImageConfig;
import podvm.engine.ImageDetails;
import podvm.engine.ImageExport;
import podvm.engine.ImageRemoval;
import podvm.engine.Images;
import podvm.engine.LayerCheck;
import podvm.engine.LayerDisk;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;

/** Images by the name they are asked for; there is one, "image", from the beginning. */
public final class FakeImages implements Images {
    private final Map<String, Image> images = new ConcurrentHashMap<>();
    private final Map<PodId, Set<Digest>> holds = new ConcurrentHashMap<>();
    private final Map<PodId, String> podNames = new ConcurrentHashMap<>();
    private final AtomicBoolean lost = new AtomicBoolean();
    private final AtomicInteger pulls = new AtomicInteger();
    private volatile CountDownLatch network = new CountDownLatch(0);
    private volatile CountDownLatch pulling = new CountDownLatch(1);

    public FakeImages() {
        put("image", config(List.of(), List.of("true")));
    }

    public static ImageConfig config(List<String> entrypoint, List<String> cmd) {
        return new ImageConfig(entrypoint, cmd, List.of("PATH=/bin"), "", "", "", Map.of());
    }

    public Image put(String name, ImageConfig config) {
        var digest = new Digest("%064x".formatted(name.hashCode() & 0xffffffffL));
        var image =
                new Image(
                        digest,
                        List.of(name),
                        List.of(new LayerDisk(digest, Path.of("/fake", name), 4096)),
                        config,
                        new Image.Platform("linux", "amd64"),
                        Instant.EPOCH);
        images.put(name, image);
        return image;
    }

    /** From now on pulls wait, until {@link #plugIn}. */
    public void unplug() {
        network = new CountDownLatch(1);
        pulling = new CountDownLatch(1);
    }

    public void plugIn() {
        network.countDown();
    }

    /** Returns when somebody waits for an image. */
    public void awaitPull() throws InterruptedException {
        pulling.await();
    }

    @Override
    public Image pull(
            String reference,
            PullPolicy policy,
            Optional<Credentials> credentials,
            Progress progress,
            Deadline deadline)
            throws PodException, InterruptedException {
        pulls.incrementAndGet();
        pulling.countDown();
        network.await();
        return find(reference)
                .orElseThrow(() ->
                        new PodException(
                                Kind.NOT_FOUND, "no image " + reference, "check its name"));
    }

    @Override
    public String fullName(String reference) {
        return reference;
    }

    @Override
    public Optional<Image> find(String referenceOrId) {
        var image = images.get(referenceOrId);
        return image != null
                ? byId(image.id())
                : list().stream()
                        .filter(one -> one.id().toString().equals(referenceOrId))
                        .findFirst();
    }

    private Optional<Image> byId(Digest id) {
        return list().stream().filter(one -> one.id().equals(id)).findFirst();
    }

    @Override
    public List<Image> list() {
        return images.values().stream().distinct().map(this::withNames).toList();
    }

    private Image withNames(Image image) {
        var names =
                images.entrySet().stream()
                        .filter(entry -> entry.getValue().equals(image))
                        .map(Map.Entry::getKey)
                        .sorted()
                        .toList();
        return new Image(
                image.id(),
                names,
                image.layers(),
                image.config(),
                image.platform(),
                image.created());
    }

    @Override
    public List<Image> load(InputStream archive, Optional<String> name, Progress progress)
            throws PodException {
        throw new PodException(Kind.UNSUPPORTED, "the fake loads no archives", "");
    }

    @Override
    public boolean hold(PodId pod, String podName, Digest image) {
        if (lost.getAndSet(false) || byId(image).isEmpty()) {
            return false;
        }
        holds.computeIfAbsent(pod, _ -> ConcurrentHashMap.newKeySet()).add(image);
        podNames.put(pod, podName);
        return true;
    }

    @Override
    public void release(PodId pod) {
        holds.remove(pod);
    }

    /** Lets the next image vanish after it was pulled, once. */
    public void loseOnce() {
        lost.set(true);
    }

    public int pulls() {
        return pulls.get();
    }

    /** What each pod holds. */
    public Map<PodId, Set<Digest>> holds() {
        return holds;
    }

    @Override
    public ImageDetails details(String referenceOrId) throws PodException {
        var image = known(referenceOrId);
        return new ImageDetails(image, List.of(), List.of(), holders(image));
    }

    private List<String> holders(Image image) {
        return holds.entrySet().stream()
                .filter(entry -> entry.getValue().contains(image.id()))
                .map(entry -> podNames.getOrDefault(entry.getKey(), ""))
                .sorted()
                .toList();
    }

    @Override
    public ImageExport export(
            String referenceOrId, LayerPacking packing, OutputStream out, Progress progress)
            throws PodException {
        throw new PodException(Kind.UNSUPPORTED, "the fake exports no images", "");
    }

    @Override
    public Image tag(String referenceOrId, String name) throws PodException {
        var image = known(referenceOrId);
        images.put(
                name,
                images.values().stream()
                        .filter(one -> one.id().equals(image.id()))
                        .findFirst()
                        .orElseThrow());
        return known(name);
    }

    @Override
    public ImageRemoval remove(String referenceOrId) throws PodException {
        var image = known(referenceOrId);
        var gone = images.containsKey(referenceOrId) ? List.of(referenceOrId) : image.names();
        boolean last = gone.containsAll(image.names());
        if (last && !holders(image).isEmpty()) {
            throw new PodException(
                    Kind.CONFLICT, "image " + referenceOrId + " is used by " + holders(image), "");
        }
        gone.forEach(images::remove);
        return new ImageRemoval(gone, last ? List.of(image.id()) : List.of(), 0);
    }

    /** Each of its images has a name. */
    @Override
    public ImageRemoval prune(Unwanted unwanted) throws PodException {
        var gone = new ArrayList<Digest>();
        for (var image : unwanted == Unwanted.ALL ? list() : List.<Image>of()) {
            if (holders(image).isEmpty()) {
                gone.addAll(remove(image.id().toString()).images());
            }
        }
        return new ImageRemoval(List.of(), List.copyOf(gone), 0);
    }

    @Override
    public List<LayerCheck> verify(Optional<String> referenceOrId, Progress progress)
            throws PodException {
        var asked = referenceOrId.isPresent() ? List.of(known(referenceOrId.get())) : list();
        return asked.stream()
                .map(image ->
                        new LayerCheck(
                                image.layers().getFirst().diffId(),
                                image.names(),
                                image.diskBytes(),
                                LayerCheck.State.WHOLE,
                                ""))
                .toList();
    }

    private Image known(String reference) throws PodException {
        return find(reference)
                .orElseThrow(() -> new PodException(Kind.NOT_FOUND, "no image " + reference, ""));
    }
}
