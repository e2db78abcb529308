package podvm.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import podvm.engine.Deadline;
import podvm.engine.Image;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.image.layer.Inflated;
import podvm.image.layer.Tars;
import podvm.image.trust.SignaturePolicy;
import podvm.image.trust.SignaturePolicy.Archive;

/**
 * Takes images from a tar stream. An archive of images is stored aside first, since its parts come
 * in any order; a root file system is written as it comes.
 */
final class ArchiveLoad {
    /** What an archive of images may begin with; headers for long names hide what it is. */
    private static final Pattern ARCHIVE_MEMBER =
            Pattern.compile(
                    "(\\./)?(manifest\\.json|repositories|oci-layout|index\\.json|blobs(/.*)?"
                            + "|[0-9a-f]{64}(\\.json|\\.tar|/.*)?)");

    private static final String EXTENSION_TYPES = "xgLK";

    /** The caller waits for its own archive and says itself when it is enough. */
    private static final Duration NO_END = Duration.ofDays(3650);

    private final StoreFiles files;
    private final LayerStore layers;
    private final ImageIndex index;
    private final ImageInstall install;
    private final ImageOptions options;
    private final SignaturePolicy policy;

    ArchiveLoad(
            StoreFiles files,
            LayerStore layers,
            ImageIndex index,
            ImageInstall install,
            ImageOptions options,
            SignaturePolicy policy) {
        this.files = files;
        this.layers = layers;
        this.index = index;
        this.install = install;
        this.options = options;
        this.policy = policy;
    }

    List<Image> load(InputStream archive, Optional<String> name, Progress progress)
            throws PodException, InterruptedException {
        Optional<String> given = name.isPresent() ? Optional.of(fullName(name.get())) : name;
        var deadline = Deadline.after(NO_END);
        var counted = new ProgressStream(archive, "archive", -1, progress);
        try (var inflated = new Inflated(counted, "the archive", deadline);
                var tar = new PushbackInputStream(inflated, Tars.BLOCK)) {
            var first = tar.readNBytes(Tars.BLOCK);
            if (first.length == 0) {
                throw new PodException(
                        PodException.Kind.INVALID, "the archive is empty", "check the file");
            }
            if (!Tars.begins(first)) {
                throw new PodException(
                        PodException.Kind.CORRUPT,
                        "not a tar archive, neither as it is nor unpacked with gzip or zstd",
                        "give an OCI or docker archive, or the tar of a root file system");
            }
            tar.unread(first);
            if (isRootFileSystem(first)) {
                return List.of(rootFileSystem(tar, given));
            }
            var spooled = files.newFile("archive-");
            try {
                Files.copy(tar, spooled, StandardCopyOption.REPLACE_EXISTING);
                return spooled(new ArchiveFile(spooled), given, progress, deadline);
            } finally {
                Files.deleteIfExists(spooled);
            }
        } catch (IOException e) {
            throw StoreFailure.of(e, "load the archive", files.root());
        }
    }

    private List<Image> spooled(
            ArchiveFile archive, Optional<String> name, Progress progress, Deadline deadline)
            throws IOException, PodException, InterruptedException {
        var platform = new PlatformChoice(options.platform());
        var found = new Archives(archive, platform, progress, deadline).images();
        if (found.isEmpty()) {
            try (var tar = archive.openWhole()) {
                return List.of(rootFileSystem(tar, name));
            }
        }
        policy.checkImport(archive.isDocker() ? Archive.DOCKER : Archive.OCI);
        if (name.isPresent() && found.size() > 1) {
            throw new PodException(
                    PodException.Kind.INVALID,
                    "the archive holds %d images, they cannot all be named %s"
                            .formatted(found.size(), name.get()),
                    "give no name");
        }
        var images = new ArrayList<Image>();
        for (var image : found) {
            images.add(install.install(image.parts(), names(image, name), deadline));
        }
        return List.copyOf(images);
    }

    private Image rootFileSystem(InputStream tar, Optional<String> name)
            throws PodException, InterruptedException {
        policy.checkImport(Archive.ROOT_FILE_SYSTEM);
        if (name.isEmpty()) {
            throw nameless("a root file system");
        }
        try (var _ = index.begin()) {
            var disk = layers.put(tar);
            var config = ConfigFile.ofRootFileSystem(disk.diffId(), options.platform());
            // one layer hides nothing
            return index.put(config, List.of(name.get()), Optional.empty());
        }
    }

    private static List<String> names(Archives.Found image, Optional<String> name)
            throws PodException {
        if (name.isPresent()) {
            return List.of(name.get());
        }
        if (image.names().isEmpty()) {
            throw nameless("image " + image.parts().config().id());
        }
        var names = new ArrayList<String>();
        for (var own : image.names()) {
            names.add(fullName(own));
        }
        return List.copyOf(names);
    }

    static String fullName(String name) throws PodException {
        var reference = ImageReference.parse(name);
        if (reference.digest().isPresent()) {
            throw new PodException(
                    PodException.Kind.INVALID,
                    "cannot load an image as '%s': its digest is not for the caller to choose"
                            .formatted(name),
                    "give a name and a tag");
        }
        return reference.full();
    }

    private static PodException nameless(String what) {
        return new PodException(
                PodException.Kind.INVALID,
                "the archive does not tell the name of " + what,
                "give a name, such as localhost/app:1");
    }

    private static boolean isRootFileSystem(byte[] header) {
        if (header.length < Tars.BLOCK || EXTENSION_TYPES.indexOf(header[156]) >= 0) {
            return false;
        }
        int end = 0;
        while (end < 100 && header[end] != 0) {
            end++;
        }
        var name = new String(header, 0, end, StandardCharsets.UTF_8);
        return !ARCHIVE_MEMBER.matcher(name).matches();
    }
}
