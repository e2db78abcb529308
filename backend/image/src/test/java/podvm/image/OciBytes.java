package podvm.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import podvm.engine.Digest;
import podvm.image.content.Sha256;

/** Builds images blob by blob. */
final class OciBytes {
    static final String OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";
    private static final String GZIP_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";

    private final Map<Digest, byte[]> blobs = new LinkedHashMap<>();
    private final Map<Digest, String> types = new LinkedHashMap<>();

    record Blob(Digest digest, byte[] bytes) {}

    Map<Digest, byte[]> blobs() {
        return blobs;
    }

    Map<Digest, String> types() {
        return types;
    }

    Blob add(String type, byte[] bytes) {
        var digest = Sha256.of(bytes);
        blobs.put(digest, bytes);
        types.put(digest, type);
        return new Blob(digest, bytes);
    }

    Blob image(String architecture, List<byte[]> tars) throws IOException {
        return imageWith(config(architecture, tars), tars);
    }

    Blob imageWith(String config, List<byte[]> tars) throws IOException {
        var layers = new ArrayList<String>();
        for (var tar : tars) {
            var blob = add(GZIP_LAYER, TarBytes.gzip(tar));
            layers.add(descriptor(GZIP_LAYER, blob, ""));
        }
        return manifest(config, layers);
    }

    Blob manifest(String config, List<String> layers) {
        var type = "application/vnd.oci.image.config.v1+json";
        var blob = add(type, utf(config));
        return add(
                OCI_MANIFEST,
                utf(
                        """
                        {"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}\
                        """
                                .formatted(
                                        OCI_MANIFEST,
                                        descriptor(type, blob, ""),
                                        String.join(",", layers))));
    }

    Blob index(String... descriptors) {
        return add(OCI_INDEX, indexBytes(descriptors));
    }

    static byte[] indexBytes(String... descriptors) {
        return utf("{\"schemaVersion\":2,\"manifests\":[" + String.join(",", descriptors) + "]}");
    }

    static String config(String architecture, List<byte[]> tars) {
        var diffIds =
                tars.stream()
                        .map(tar -> "\"" + Sha256.of(tar) + "\"")
                        .collect(Collectors.joining(","));
        return """
        {"architecture":"%s","os":"linux","created":"2024-05-06T07:08:09.5Z",
        "config":{"Env":["A=b"],"Cmd":["run"],"User":"7:8","Labels":{"l":"v"}},
        "rootfs":{"type":"layers","diff_ids":[%s]}}\
        """
                .formatted(architecture, diffIds);
    }

    static String descriptor(String type, Blob blob, String more) {
        return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d%s}"
                .formatted(type, blob.digest(), blob.bytes().length, more);
    }

    static String platform(String architecture) {
        return ",\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\"}".formatted(architecture);
    }

    static String platform(String architecture, String variant) {
        return ",\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\",\"variant\":\"%s\"}"
                .formatted(architecture, variant);
    }

    static String named(String annotation, String name) {
        return ",\"annotations\":{\"%s\":\"%s\"}".formatted(annotation, name);
    }

    /** The layout as a tar, blobs first as some tools write them. */
    byte[] layout(String... descriptors) {
        var tar = new TarBytes();
        tar.directory("blobs/").directory("blobs/sha256/");
        blobs.forEach((digest, bytes) -> tar.file("blobs/sha256/" + digest.hex(), bytes));
        tar.file("index.json", indexBytes(descriptors));
        tar.file("oci-layout", utf("{\"imageLayoutVersion\":\"1.0.0\"}"));
        return tar.bytes();
    }

    /** The layout as a directory, the image under a tag. */
    void write(Path directory, Blob manifest, String tag) throws IOException {
        var files = Files.createDirectories(directory.resolve("blobs/sha256"));
        for (var blob : blobs.entrySet()) {
            Files.write(files.resolve(blob.getKey().hex()), blob.getValue());
        }
        var named = named("org.opencontainers.image.ref.name", tag);
        Files.write(
                directory.resolve("index.json"),
                indexBytes(descriptor(OCI_MANIFEST, manifest, named)));
        Files.write(directory.resolve("oci-layout"), utf("{\"imageLayoutVersion\":\"1.0.0\"}"));
    }

    static byte[] utf(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
