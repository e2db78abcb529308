package podvm.image;

import java.nio.charset.StandardCharsets;
import java.util.Set;
import podvm.engine.PodException;
import podvm.image.content.Shown;

/**
 * What the parts of an image may call themselves (OCI image specification, "OCI Image Media Types";
 * Docker's "Image Manifest Version 2, Schema 2"). No type at all is taken for the usual one.
 */
final class MediaTypes {
    private static final Set<String> MANIFESTS =
            Set.of(
                    "",
                    "application/vnd.oci.image.index.v1+json",
                    "application/vnd.oci.image.manifest.v1+json",
                    "application/vnd.docker.distribution.manifest.list.v2+json",
                    "application/vnd.docker.distribution.manifest.v2+json");
    private static final Set<String> CONFIGS =
            Set.of(
                    "",
                    "application/vnd.oci.image.config.v1+json",
                    "application/vnd.docker.container.image.v1+json");
    private static final Set<String> LAYERS =
            Set.of(
                    "",
                    "application/vnd.oci.image.layer.v1.tar",
                    "application/vnd.oci.image.layer.v1.tar+gzip",
                    "application/vnd.oci.image.layer.v1.tar+zstd",
                    "application/vnd.docker.image.rootfs.diff.tar",
                    "application/vnd.docker.image.rootfs.diff.tar.gzip",
                    "application/vnd.docker.image.rootfs.diff.tar.zstd");
    private static final Set<String> FOREIGN_PREFIXES =
            Set.of(
                    "application/vnd.oci.image.layer.nondistributable.",
                    "application/vnd.docker.image.rootfs.foreign.");

    private MediaTypes() {}

    static boolean isManifest(Descriptor descriptor) {
        return MANIFESTS.contains(descriptor.mediaType());
    }

    /**
     * @param origin names the image in messages
     */
    static void check(Manifest.OfImage image, String origin) throws PodException {
        if (!CONFIGS.contains(image.config().mediaType())) {
            var type =
                    image.artifactType().isEmpty()
                            ? image.config().mediaType()
                            : image.artifactType();
            throw new PodException(
                    PodException.Kind.UNSUPPORTED,
                    "%s is an artifact of type %s, not a container image"
                            .formatted(origin, shown(type)),
                    "use an image");
        }
        for (var layer : image.layers()) {
            check(layer, origin);
        }
    }

    private static void check(Descriptor layer, String origin) throws PodException {
        var type = layer.mediaType();
        if (FOREIGN_PREFIXES.stream().anyMatch(type::startsWith)) {
            throw new PodException(
                    PodException.Kind.UNSUPPORTED,
                    "layer %s of %s is foreign: registries do not hold it (type %s)"
                            .formatted(layer.digest(), origin, shown(type)),
                    "build the image on a base that may be distributed");
        }
        if (!LAYERS.contains(type)) {
            throw new PodException(
                    PodException.Kind.UNSUPPORTED,
                    "layer %s of %s has the unknown type %s"
                            .formatted(layer.digest(), origin, shown(type)),
                    "build the image with tar layers, plain or packed by gzip or zstd");
        }
    }

    private static String shown(String type) {
        return Shown.name(type.getBytes(StandardCharsets.UTF_8));
    }
}
