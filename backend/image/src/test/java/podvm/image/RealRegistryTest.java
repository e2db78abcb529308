package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;
import podvm.image.content.Sha256;

/** Pulls what skopeo pushed to Debian's docker-registry. */
@Timeout(120)
class RealRegistryTest {
    private static final byte[] BASE = new TarBytes().file("bin/sh", "shell").bytes();
    private static final byte[] TOP = new TarBytes().file("app", "app").file(".wh.bin", "").bytes();

    @TempDir Path directory;
    private Process registry;
    private int port;

    @BeforeEach
    void start() throws Exception {
        Tool.need("docker-registry");
        Tool.need("skopeo");
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        var config = directory.resolve("registry.yaml");
        Files.writeString(
                config,
                """
                version: 0.1
                storage: {filesystem: {rootdirectory: %s}}
                http: {addr: 127.0.0.1:%d}
                """
                        .formatted(directory.resolve("registry"), port));
        registry =
                new ProcessBuilder("docker-registry", "serve", config.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("registry.log").toFile())
                        .start();
        for (int tries = 0; !answers(); tries++) {
            assertThat(tries).as("docker-registry starts").isLessThan(200);
            Thread.sleep(100);
        }
    }

    @AfterEach
    void stop() throws Exception {
        if (registry != null) {
            registry.destroy();
            registry.waitFor();
        }
    }

    private boolean answers() {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void whatSkopeoPushesIsPulledInEitherForm() throws Exception {
        var oci = new OciBytes();
        var manifest = oci.image("amd64", List.of(BASE, TOP));
        var archive = directory.resolve("image.tar");
        Files.write(
                archive,
                oci.layout(
                        OciBytes.descriptor(
                                OciBytes.OCI_MANIFEST,
                                manifest,
                                OciBytes.named("org.opencontainers.image.ref.name", "1"))));
        try (var store = ImageStore.open(directory.resolve("store"), Layers.OPTIONS)) {
            for (var format : List.of("oci", "v2s2")) {
                var name = "localhost:" + port + "/team/" + format + ":1";
                Tool.run(
                        "skopeo",
                        "copy",
                        "--insecure-policy",
                        "--dest-tls-verify=false",
                        "--format=" + format,
                        "oci-archive:" + archive + ":1",
                        "docker://" + name);
                var image =
                        store.pull(
                                name,
                                PullPolicy.ALWAYS,
                                Progress.NONE,
                                Deadline.after(Duration.ofSeconds(60)));
                assertThat(image.names()).contains(name);
                assertThat(image.layers())
                        .extracting(disk -> disk.diffId())
                        .containsExactly(Sha256.of(BASE), Sha256.of(TOP));
                assertThat(ErofsReader.read(image.layers().getLast().file()))
                        .containsOnlyKeys("", "app", "bin");
            }
        }
    }

    @Test
    void archivesThatSkopeoWritesAreLoaded() throws Exception {
        var oci = new OciBytes();
        var manifest = oci.image("amd64", List.of(BASE, TOP));
        var archive = directory.resolve("image.tar");
        Files.write(
                archive,
                oci.layout(
                        OciBytes.descriptor(
                                OciBytes.OCI_MANIFEST,
                                manifest,
                                OciBytes.named("org.opencontainers.image.ref.name", "1"))));
        try (var store = ImageStore.open(directory.resolve("store"), Layers.OPTIONS)) {
            for (var form : List.of("docker-archive", "oci-archive")) {
                var copy = directory.resolve(form + ".tar");
                Tool.run(
                        "skopeo",
                        "copy",
                        "--insecure-policy",
                        "oci-archive:" + archive + ":1",
                        form + ":" + copy + ":quay.io/team/" + form + ":2");
                try (var in = Files.newInputStream(copy)) {
                    var image = store.load(in, Optional.empty(), Progress.NONE).getFirst();
                    assertThat(image.names()).contains("quay.io/team/" + form + ":2");
                    assertThat(image.layers())
                            .extracting(disk -> disk.diffId())
                            .containsExactly(Sha256.of(BASE), Sha256.of(TOP));
                }
            }
        }
    }
}
