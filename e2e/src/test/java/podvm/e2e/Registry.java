package podvm.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The distribution's docker-registry on a loopback port, with its storage in a folder of the test.
 */
final class Registry implements AutoCloseable {
    private final Process process;
    private final int port;
    private final HttpClient http = HttpClient.newHttpClient();

    private Registry(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    static Registry start(Path folder) throws IOException {
        Files.createDirectories(folder);
        int port = freePort();
        var config =
                Files.writeString(
                        folder.resolve("config.yml"),
                        """
                        version: 0.1
                        log: {level: error}
                        storage: {filesystem: {rootdirectory: %s}}
                        http: {addr: "127.0.0.1:%d"}
                        """
                                .formatted(folder.resolve("data"), port));
        var process =
                new ProcessBuilder("docker-registry", "serve", config.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(folder.resolve("registry.log").toFile())
                        .start();
        var registry = new Registry(process, port);
        Wait.until("the registry answers", registry::answers);
        return registry;
    }

    /** Free now; another program could take it before the registry does, which then says so. */
    static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private boolean answers() throws InterruptedException {
        try {
            return get("/v2/").length > 0;
        } catch (IOException e) {
            return false;
        }
    }

    String host() {
        return "127.0.0.1:" + port;
    }

    byte[] get(String path) throws IOException, InterruptedException {
        return http.send(HttpRequest.newBuilder(uri(path)).build(), BodyHandlers.ofByteArray())
                .body();
    }

    private URI uri(String path) {
        return path.startsWith("http") ? URI.create(path) : URI.create("http://" + host() + path);
    }

    /**
     * Pushes an image of one layer by the distribution API.
     *
     * @return the manifest's digest, with sha256: before it
     */
    String push(String name, String tag, byte[] config, byte[] gzipLayer)
            throws IOException, InterruptedException {
        blob(name, config);
        blob(name, gzipLayer);
        var manifest = ImageArchives.manifest(config, gzipLayer);
        send("PUT", "/v2/" + name + "/manifests/" + tag, ImageArchives.MANIFEST_TYPE, manifest);
        return "sha256:" + ImageArchives.digest(manifest);
    }

    /** Pushes a manifest of the test's own, and what it leads to. */
    void push(String name, String tag, String manifest, byte[]... blobs)
            throws IOException, InterruptedException {
        for (var blob : blobs) {
            blob(name, blob);
        }
        send(
                "PUT",
                "/v2/" + name + "/manifests/" + tag,
                ImageArchives.MANIFEST_TYPE,
                manifest.getBytes(UTF_8));
    }

    private void blob(String name, byte[] bytes) throws IOException, InterruptedException {
        var upload =
                send(
                        "POST",
                        "/v2/" + name + "/blobs/uploads/",
                        "application/octet-stream",
                        new byte[0]);
        var separator = upload.contains("?") ? "&" : "?";
        send(
                "PUT",
                upload + separator + "digest=sha256:" + ImageArchives.digest(bytes),
                "application/octet-stream",
                bytes);
    }

    /** Returns where the answer says to go on. */
    private String send(String method, String path, String type, byte[] body)
            throws IOException, InterruptedException {
        var request =
                HttpRequest.newBuilder(uri(path))
                        .header("Content-Type", type)
                        .method(method, BodyPublishers.ofByteArray(body));
        var answer = http.send(request.build(), BodyHandlers.ofString());
        if (answer.statusCode() / 100 != 2) {
            throw new IOException(
                    method + " " + path + ": " + answer.statusCode() + " " + answer.body());
        }
        return answer.headers().firstValue("Location").orElse("");
    }

    @Override
    public void close() {
        http.close();
        process.destroyForcibly();
    }
}
