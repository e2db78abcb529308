package podvm.node;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
import podvm.engine.PodId;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;

/** Images by name alone. */
final class FakeImages implements Images {
    private final List<Image> images = new ArrayList<>();

    @Override
    public Image pull(
            String reference,
            PullPolicy policy,
            Optional<Credentials> credentials,
            Progress progress,
            Deadline deadline) {
        progress.at("manifest", 1, 1);
        progress.at("layer 3f1c9d", 0, 2048);
        progress.at("layer 3f1c9d", 2048, 2048);
        return add(reference, 2048);
    }

    private synchronized Image add(String name, long bytes) {
        var digest = new Digest(HexFormat.of().toHexDigits(name.hashCode()).repeat(8));
        var image =
                new Image(
                        digest,
                        List.of(name),
                        List.of(new LayerDisk(digest, Path.of("/nowhere"), bytes)),
                        new ImageConfig(List.of(), List.of(), List.of(), "", "", "", Map.of()),
                        new Image.Platform("linux", "amd64"),
                        Instant.parse("2026-01-02T03:04:05Z"));
        images.add(image);
        return image;
    }

    @Override
    public synchronized Optional<Image> find(String referenceOrId) {
        return images.stream()
                .filter(i ->
                        i.names().contains(referenceOrId)
                                || i.id().toString().equals(referenceOrId))
                .findFirst();
    }

    @Override
    public synchronized List<Image> list() {
        return List.copyOf(images);
    }

    @Override
    public List<Image> load(InputStream archive, Optional<String> name, Progress progress)
            throws PodException {
        try {
            var bytes = archive.transferTo(java.io.OutputStream.nullOutputStream());
            return List.of(
                    add(
                            name.orElseThrow(() ->
                                    new PodException(
                                            PodException.Kind.INVALID,
                                            "the archive names no image",
                                            "give it one with --name")),
                            bytes));
        } catch (IOException e) {
            throw new PodException(PodException.Kind.CORRUPT, "the archive ended early", "", e);
        }
    }

    @Override
    public String fullName(String reference) {
        return reference.contains("/") ? reference : "docker.io/library/" + reference;
    }

    @Override
    public synchronized boolean hold(PodId pod, String podName, Digest image) {
        return images.stream().anyMatch(one -> one.id().equals(image));
    }

    @Override
    public void release(PodId pod) {}

    @Override
    public ImageDetails details(String referenceOrId) throws PodException {
        var image = known(referenceOrId);
        var layer = new ImageDetails.Layer(image.layers().getFirst(), image.id());
        return new ImageDetails(
                image,
                List.of(layer),
                List.of(
                        new ImageDetails.History(
                                image.created(), "COPY app", "", "", Optional.of(layer)),
                        new ImageDetails.History(
                                Instant.EPOCH, "ENV A=b", "", "", Optional.empty())),
                List.of("default/web"));
    }

    @Override
    public ImageExport export(
            String referenceOrId, LayerPacking packing, OutputStream out, Progress progress)
            throws PodException, IOException {
        var image = known(referenceOrId);
        var bytes = new byte[200_000];
        bytes[0] = (byte) (packing == LayerPacking.GZIP ? 'g' : 'p');
        progress.at("layer 3f1c9d", 0, bytes.length);
        out.write(bytes);
        out.write('.');
        var other = new Digest("0".repeat(64));
        return new ImageExport(
                image.id(), packing == LayerPacking.GZIP ? other : image.id(), bytes.length + 1);
    }

    @Override
    public synchronized Image tag(String referenceOrId, String name) throws PodException {
        var image = known(referenceOrId);
        var names = new ArrayList<>(image.names());
        names.add(name);
        return replace(image, names);
    }

    private Image replace(Image image, List<String> names) {
        images.remove(image);
        var other =
                new Image(
                        image.id(),
                        List.copyOf(names),
                        image.layers(),
                        image.config(),
                        image.platform(),
                        image.created());
        images.add(other);
        return other;
    }

    @Override
    public synchronized ImageRemoval remove(String referenceOrId) throws PodException {
        if (referenceOrId.equals("used")) {
            throw new PodException(
                    PodException.Kind.CONFLICT,
                    "image used is used by pod default/web",
                    "stop what uses it first");
        }
        var image = known(referenceOrId);
        var names = new ArrayList<>(image.names());
        names.remove(referenceOrId);
        if (names.isEmpty() || image.id().toString().equals(referenceOrId)) {
            images.remove(image);
            return new ImageRemoval(image.names(), List.of(image.id()), image.diskBytes());
        }
        replace(image, names);
        return new ImageRemoval(List.of(referenceOrId), List.of(), 0);
    }

    @Override
    public synchronized ImageRemoval prune(Unwanted unwanted) {
        if (unwanted == Unwanted.NAMELESS) {
            return new ImageRemoval(List.of(), List.of(), 0);
        }
        var gone = List.copyOf(images);
        images.clear();
        return new ImageRemoval(
                gone.stream().flatMap(image -> image.names().stream()).toList(),
                gone.stream().map(Image::id).toList(),
                gone.stream().mapToLong(Image::diskBytes).sum());
    }

    @Override
    public synchronized List<LayerCheck> verify(Optional<String> referenceOrId, Progress progress) {
        progress.at("layer 3f1c9d", 1, 1);
        return images.stream()
                .filter(image ->
                        referenceOrId.isEmpty() || image.names().contains(referenceOrId.get()))
                .map(image -> {
                    boolean bad = image.names().contains("damaged");
                    return new LayerCheck(
                            image.id(),
                            image.names(),
                            image.diskBytes(),
                            bad ? LayerCheck.State.DAMAGED : LayerCheck.State.WHOLE,
                            bad ? "its bytes are others" : "");
                })
                .toList();
    }

    private Image known(String referenceOrId) throws PodException {
        return find(referenceOrId)
                .orElseThrow(() ->
                        new PodException(
                                PodException.Kind.NOT_FOUND,
                                "no image " + referenceOrId,
                                "podvm image ls shows those there are"));
    }
}
