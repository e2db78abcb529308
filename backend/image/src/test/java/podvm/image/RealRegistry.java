package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Debian's docker-registry on a port of the loopback. */
final class RealRegistry implements AutoCloseable {
    private final Path directory;
    private final int port;
    private final Process process;

    private RealRegistry(Path directory, int port, Process process) {
        this.directory = directory;
        this.port = port;
        this.process = process;
    }

    /**
     * @param more of its configuration, with the keys "http" (tls only) and "auth", as YAML in
     *     braces
     */
    static RealRegistry start(Path directory, String tls, String auth) throws Exception {
        Tool.need("docker-registry");
        Files.createDirectories(directory);
        int port;
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        var config = directory.resolve("registry.yaml");
        Files.writeString(
                config,
                """
                version: 0.1
                log: {level: warn}
                storage: {filesystem: {rootdirectory: %s}}
                http: {addr: 127.0.0.1:%d, secret: x%s}
                %s
                """
                        .formatted(directory.resolve("blobs"), port, tls, auth));
        var process =
                new ProcessBuilder("docker-registry", "serve", config.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("registry.log").toFile())
                        .start();
        var registry = new RealRegistry(directory, port, process);
        registry.awaitAnswer();
        return registry;
    }

    static RealRegistry plain(Path directory) throws Exception {
        return start(directory, "", "");
    }

    int port() {
        return port;
    }

    String host() {
        return "127.0.0.1:" + port;
    }

    /** Pushes an image as skopeo does. */
    String push(Path layout, String tag, String repository, String... options) throws Exception {
        Tool.need("skopeo");
        var name = host() + "/" + repository;
        var command = new ArrayList<>(List.of("skopeo", "copy", "--insecure-policy"));
        command.addAll(Arrays.asList(options));
        command.addAll(List.of("oci:" + layout + ":" + tag, "docker://" + name));
        Tool.run(command.toArray(String[]::new));
        return name;
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }

    private void awaitAnswer() throws Exception {
        for (int tries = 0; !answers(); tries++) {
            assertThat(tries < 200 && process.isAlive())
                    .as(
                            "docker-registry starts: %s",
                            Files.readString(directory.resolve("registry.log")))
                    .isTrue();
            Thread.sleep(100);
        }
    }

    private boolean answers() {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }
}
