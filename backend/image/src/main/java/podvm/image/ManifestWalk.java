package podvm.image;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.Progress;

/** Finds the parts of an image from its manifest on, wherever manifests and blobs lie. */
final class ManifestWalk {
    private static final int LARGEST_CONFIG = 4 << 20;
    private static final int DEEPEST_INDEX = 4;

    private final Contents contents;
    private final PlatformChoice platform;
    private final Progress progress;
    private final Deadline deadline;

    /** A registry's repository or an archive: what a descriptor points to. */
    interface Contents {
        InputStream manifest(Descriptor descriptor, Deadline deadline)
                throws IOException, PodException, InterruptedException;

        InputStream blob(Descriptor descriptor, Deadline deadline)
                throws IOException, PodException, InterruptedException;
    }

    ManifestWalk(Contents contents, PlatformChoice platform, Progress progress, Deadline deadline) {
        this.contents = contents;
        this.platform = platform;
        this.progress = progress;
        this.deadline = deadline;
    }

    /**
     * @param origin names the image in messages
     */
    ImageParts parts(byte[] manifest, String origin)
            throws IOException, PodException, InterruptedException {
        var bytes = manifest;
        for (int depth = 0; depth < DEEPEST_INDEX; depth++) {
            switch (Manifest.parse(bytes, "manifest of " + origin)) {
                case Manifest.OfImage image -> {
                    return parts(image, origin);
                }
                case Manifest.Index index -> {
                    var chosen = platform.choose(index.manifests(), origin);
                    checkSize(chosen, Manifest.LARGEST);
                    bytes = whole(contents.manifest(chosen, deadline), chosen);
                }
            }
        }
        throw new PodException(
                PodException.Kind.CORRUPT,
                "%s has indexes inside indexes, more than %d deep".formatted(origin, DEEPEST_INDEX),
                "build the image again");
    }

    private ImageParts parts(Manifest.OfImage image, String origin)
            throws IOException, PodException, InterruptedException {
        MediaTypes.check(image, origin);
        checkSize(image.config(), LARGEST_CONFIG);
        var bytes = whole(contents.blob(image.config(), deadline), image.config());
        var config = ConfigFile.parse(bytes);
        platform.check(config, origin);
        var sources = new ArrayList<LayerBlob.Source>();
        for (var layer : image.layers()) {
            sources.add(() ->
                    new ProgressStream(
                            new CheckedBlob(contents.blob(layer, deadline), layer),
                            LayerBlob.shown(layer.digest()),
                            layer.size(),
                            progress));
        }
        return ImageParts.of(config, sources, origin);
    }

    private static void checkSize(Descriptor expected, int largest) throws PodException {
        if (expected.size() > largest) {
            throw new PodException(
                    PodException.Kind.CORRUPT,
                    "%s has %d bytes; at most %d are read"
                            .formatted(expected.digest(), expected.size(), largest),
                    "check that it is a container image");
        }
    }

    private static byte[] whole(InputStream stream, Descriptor expected)
            throws IOException, PodException {
        try (stream) {
            var checked = new CheckedBlob(stream, expected);
            var bytes = new byte[(int) expected.size()];
            int got = checked.readNBytes(bytes, 0, bytes.length);
            if (checked.read() >= 0) {
                throw new IllegalStateException("a checked blob is as long as expected");
            }
            return Arrays.copyOf(bytes, got);
        }
    }
}
