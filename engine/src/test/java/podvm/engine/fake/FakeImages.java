package podvm.engine.fake;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
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
    public Image pull(String reference, PullPolicy policy, Progress progress, Deadline deadline)
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
        return Optional.ofNullable(images.get(referenceOrId));
    }

    @Override
    public List<Image> list() {
        return List.copyOf(images.values());
    }

    @Override
    public List<Image> load(InputStream archive, Optional<String> name, Progress progress)
            throws PodException {
        throw new PodException(Kind.UNSUPPORTED, "the fake loads no archives", "");
    }

    @Override
    public boolean hold(PodId pod, String podName, Digest image) {
        if (lost.getAndSet(false)) {
            return false;
        }
        holds.computeIfAbsent(pod, _ -> ConcurrentHashMap.newKeySet()).add(image);
        return images.values().stream().anyMatch(one -> one.id().equals(image));
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
        return new ImageDetails(image, List.of(), List.of(), List.of());
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
        images.put(name, image);
        return image;
    }

    @Override
    public ImageRemoval remove(String referenceOrId) throws PodException {
        var image = known(referenceOrId);
        images.remove(referenceOrId);
        return new ImageRemoval(List.of(referenceOrId), List.of(image.id()), 0);
    }

    @Override
    public ImageRemoval prune(Unwanted unwanted) {
        return new ImageRemoval(List.of(), List.of(), 0);
    }

    @Override
    public List<LayerCheck> verify(Optional<String> referenceOrId, Progress progress) {
        return List.of();
    }

    private Image known(String reference) throws PodException {
        return find(reference)
                .orElseThrow(() -> new PodException(Kind.NOT_FOUND, "no image " + reference, ""));
    }
}
