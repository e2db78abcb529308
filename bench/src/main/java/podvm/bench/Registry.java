package podvm.bench;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** The distribution's docker-registry on loopback, with one image in it. */
final class Registry implements AutoCloseable {
    private static final String REPOSITORY = "bench/sample";
    private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    private static final String CONFIG = "application/vnd.oci.image.config.v1+json";
    private static final String LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";

    private final String host;
    private final Process process;
    private final HttpClient client = HttpClient.newHttpClient();

    private Registry(String host, Process process) {
        this.host = host;
        this.process = process;
    }

    static Registry start(Path directory) throws IOException, InterruptedException {
        int port;
        try (var free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        var host = "127.0.0.1:" + port;
        var config = Files.createDirectories(directory).resolve("config.yml");
        Files.writeString(
                config,
                """
                version: 0.1
                log: {level: error}
                storage: {filesystem: {rootdirectory: %s}}
                http: {addr: "%s"}
                """
                        .formatted(directory.resolve("blobs"), host));
        var process =
                new ProcessBuilder("docker-registry", "serve", config.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("log").toFile())
                        .start();
        var registry = new Registry(host, process);
        for (int i = 0; !registry.answers(); i++) {
            if (i > 200 || !process.isAlive()) {
                throw new IOException("docker-registry does not start; see " + directory);
            }
            Thread.sleep(50);
        }
        return registry;
    }

    /** Puts an image of these layers there; its reference. */
    String push(List<Path> layers) throws Exception {
        var descriptors = new ArrayList<String>();
        var diffIds = new ArrayList<String>();
        for (var layer : layers) {
            var digest = digest(layer, false);
            blob(digest, HttpRequest.BodyPublishers.ofFile(layer));
            descriptors.add(descriptor(LAYER, digest, Files.size(layer)));
            diffIds.add('"' + digest(layer, true) + '"');
        }
        var config =
                """
                {"architecture":"%s","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[%s]}}\
                """
                        .formatted(architecture(), String.join(",", diffIds))
                        .getBytes(StandardCharsets.UTF_8);
        var configDigest = text(MessageDigest.getInstance("SHA-256").digest(config));
        blob(configDigest, HttpRequest.BodyPublishers.ofByteArray(config));
        var manifest =
                """
                {"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}\
                """
                        .formatted(
                                MANIFEST,
                                descriptor(CONFIG, configDigest, config.length),
                                String.join(",", descriptors));
        send(
                HttpRequest.newBuilder(uri("manifests/1"))
                        .header("Content-Type", MANIFEST)
                        .PUT(HttpRequest.BodyPublishers.ofString(manifest)));
        return host + "/" + REPOSITORY + ":1";
    }

    static String architecture() {
        return System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
    }

    private static String descriptor(String type, String digest, long size) {
        return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}".formatted(type, digest, size);
    }

    private void blob(String digest, HttpRequest.BodyPublisher content) throws Exception {
        var place =
                send(
                        HttpRequest.newBuilder(uri("blobs/uploads/"))
                                .POST(HttpRequest.BodyPublishers.noBody()));
        var target = URI.create(place + (place.contains("?") ? "&" : "?") + "digest=" + digest);
        send(HttpRequest.newBuilder(target).PUT(content));
    }

    /** Where the answer leads. */
    private String send(HttpRequest.Builder request) throws IOException, InterruptedException {
        var answer = client.send(request.build(), BodyHandlers.ofString());
        if (answer.statusCode() / 100 != 2) {
            throw new IOException(
                    "docker-registry answers %d: %s".formatted(answer.statusCode(), answer.body()));
        }
        return answer.headers().firstValue("Location").orElse("");
    }

    private boolean answers() throws InterruptedException {
        try {
            var request = HttpRequest.newBuilder(URI.create("http://" + host + "/v2/")).build();
            return client.send(request, BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        }
    }

    private URI uri(String what) {
        return URI.create("http://%s/v2/%s/%s".formatted(host, REPOSITORY, what));
    }

    private static String digest(Path file, boolean unpacked) throws Exception {
        var hash = MessageDigest.getInstance("SHA-256");
        try (var bytes = Files.newInputStream(file);
                var content = unpacked ? new GZIPInputStream(bytes, 1 << 16) : bytes;
                var hashed = new DigestInputStream(content, hash)) {
            var buffer = new byte[1 << 16];
            while (hashed.read(buffer) >= 0) {
                // the hash is what is wanted
            }
        }
        return text(hash.digest());
    }

    private static String text(byte[] digest) {
        return "sha256:" + HexFormat.of().formatHex(digest);
    }

    @Override
    public void close() {
        process.destroy();
        var _ = process.onExit().join();
    }
}
