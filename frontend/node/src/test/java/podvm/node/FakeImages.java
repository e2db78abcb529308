package podvm.node;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.Image;
import podvm.engine.ImageConfig;
import podvm.engine.Images;
import podvm.engine.LayerDisk;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;

/** Images by name alone. */
final class FakeImages implements Images {
    private final List<Image> images = new ArrayList<>();

    @Override
    public Image pull(String reference, PullPolicy policy, Progress progress, Deadline deadline) {
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
        return images.stream().filter(i -> i.names().contains(referenceOrId)).findFirst();
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
    public void remove(String referenceOrId) {}
}
