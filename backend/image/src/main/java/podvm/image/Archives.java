package podvm.image;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.image.content.Json;
import tools.jackson.databind.JsonNode;

/** Finds the images in an archive, told apart by what it contains. */
final class Archives {
    private static final String OCI = "index.json";
    private static final String FULL_NAME = "io.containerd.image.name";
    private static final String REF_NAME = "org.opencontainers.image.ref.name";

    private final ArchiveFile archive;
    private final PlatformChoice platform;
    private final Progress progress;
    private final Deadline deadline;

    /**
     * @param names as the archive gives them; perhaps none
     */
    record Found(ImageParts parts, List<String> names) {}

    Archives(ArchiveFile archive, PlatformChoice platform, Progress progress, Deadline deadline) {
        this.archive = archive;
        this.platform = platform;
        this.progress = progress;
        this.deadline = deadline;
    }

    /** Empty when it is not an archive of images. */
    List<Found> images() throws IOException, PodException, InterruptedException {
        if (archive.isDocker()) {
            return docker();
        }
        return archive.has(OCI) ? oci() : List.of();
    }

    private List<Found> docker() throws IOException, PodException {
        var found = new ArrayList<Found>();
        for (var image :
                Json.parse(
                        archive.read(ArchiveFile.DOCKER, Manifest.LARGEST), ArchiveFile.DOCKER)) {
            found.add(new Found(dockerParts(image), Json.texts(image.path("RepoTags"))));
        }
        return found;
    }

    private ImageParts dockerParts(JsonNode image) throws IOException, PodException {
        var path = Json.text(image, "Config");
        var config = ConfigFile.parse(archive.read(path, Manifest.LARGEST));
        platform.check(config, "image %s of the archive".formatted(config.id()));
        var sources = new ArrayList<LayerBlob.Source>();
        for (var layer : Json.texts(image.path("Layers"))) {
            sources.add(() ->
                    new ProgressStream(
                            archive.open(layer),
                            "layer " + layer,
                            archive.size(layer).orElse(-1L),
                            progress));
        }
        return ImageParts.of(config, sources, "image %s of the archive".formatted(config.id()));
    }

    private List<Found> oci() throws IOException, PodException, InterruptedException {
        var index = Manifest.parse(archive.read(OCI, Manifest.LARGEST), OCI);
        if (!(index instanceof Manifest.Index(var manifests))) {
            throw new PodException(
                    PodException.Kind.CORRUPT,
                    "index.json of the archive is no index",
                    "make the archive again");
        }
        var contents = new ArchiveContents(archive);
        var walk = new ManifestWalk(contents, platform, progress, deadline);
        var found = new ArrayList<Found>();
        for (var manifest : platform.usable(manifests)) {
            var bytes = archive.read(ArchiveContents.path(manifest), Manifest.LARGEST);
            var origin = "image %s of the archive".formatted(manifest.digest());
            found.add(new Found(walk.parts(bytes, origin), name(manifest).stream().toList()));
        }
        return found;
    }

    /** A mere tag names no image. */
    private static Optional<String> name(Descriptor manifest) {
        var annotations = manifest.annotations();
        var name = annotations.getOrDefault(FULL_NAME, annotations.getOrDefault(REF_NAME, ""));
        return name.contains("/") || name.contains(":") ? Optional.of(name) : Optional.empty();
    }
}
