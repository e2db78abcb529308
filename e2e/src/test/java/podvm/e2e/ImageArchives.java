package podvm.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.StringJoiner;
import java.util.zip.GZIPOutputStream;

/**
 * Images with a configuration of the test's choice, in the forms in which other tools write them.
 */
final class ImageArchives {
    static final String MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

    private ImageArchives() {}

    static byte[] manifest(byte[] config, byte[] gzipLayer) {
        return """
        {"schemaVersion":2,"mediaType":"%s",
        "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%d},
        "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:%s","size":%d}]}
        """
                .formatted(
                        MANIFEST_TYPE,
                        digest(config),
                        config.length,
                        digest(gzipLayer),
                        gzipLayer.length)
                .getBytes(UTF_8);
    }

    /**
     * As {@code docker save} writes it.
     *
     * @param config members of the image's "config" object, as JSON without the braces
     */
    static Path dockerArchive(Path to, String name, String config) throws IOException {
        var layer = Box.layer();
        var json = configuration(config, "amd64", layer);
        var tar = new Tar();
        tar.file(digest(json) + ".json", 0644, json);
        tar.folder("base", 0755).file("base/layer.tar", 0644, layer);
        tar.file(
                "manifest.json",
                "[{\"Config\":\"%s.json\",\"RepoTags\":[\"%s\"],\"Layers\":[\"base/layer.tar\"]}]"
                        .formatted(digest(json), name));
        return Files.write(to, tar.end());
    }

    /** As {@code docker save} writes an image of several layers, lowest first. */
    static Path layered(Path to, String name, byte[]... layers) throws IOException {
        var diffIds = new StringJoiner(",");
        var files = new StringJoiner(",");
        var tar = new Tar();
        for (var layer : layers) {
            diffIds.add("\"sha256:" + digest(layer) + "\"");
            files.add("\"" + digest(layer) + "/layer.tar\"");
            tar.file(digest(layer) + "/layer.tar", 0644, layer);
        }
        var json =
                """
                {"architecture":"amd64","os":"linux","created":"2026-01-02T03:04:05Z","config":{},
                "rootfs":{"type":"layers","diff_ids":[%s]}}
                """
                        .formatted(diffIds)
                        .getBytes(UTF_8);
        tar.file("config.json", 0644, json);
        tar.file(
                "manifest.json",
                "[{\"Config\":\"config.json\",\"RepoTags\":[\"%s\"],\"Layers\":[%s]}]"
                        .formatted(name, files));
        return Files.write(to, tar.end());
    }

    /**
     * An OCI image layout (image-spec 1.1) in a tar, its layer compressed.
     *
     * @param name what the index calls it; may be empty
     */
    static Path ociLayout(Path to, String name, String config, String architecture)
            throws IOException {
        var layer = Box.layer();
        var json = configuration(config, architecture, layer);
        var packed = gzip(layer);
        var manifest = manifest(json, packed);
        var annotations =
                name.isEmpty()
                        ? ""
                        : ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}"
                                .formatted(name);
        var index =
                """
                {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",
                "manifests":[{"mediaType":"%s","digest":"sha256:%s","size":%d%s}]}
                """
                        .formatted(MANIFEST_TYPE, digest(manifest), manifest.length, annotations);
        var tar = new Tar();
        tar.file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
        tar.file("index.json", index);
        tar.folder("blobs", 0755).folder("blobs/sha256", 0755);
        for (var blob : new byte[][] {json, packed, manifest}) {
            tar.file("blobs/sha256/" + digest(blob), 0644, blob);
        }
        return Files.write(to, tar.end());
    }

    static byte[] configuration(String config, String architecture, byte[] layer) {
        return """
        {"architecture":"%s","os":"linux","created":"2026-01-02T03:04:05Z","config":{%s},
        "rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}
        """
                .formatted(architecture, config, digest(layer))
                .getBytes(UTF_8);
    }

    static byte[] gzip(byte[] bytes) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }

    static String digest(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
