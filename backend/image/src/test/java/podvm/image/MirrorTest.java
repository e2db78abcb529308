package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Credentials;
import podvm.engine.Deadline;
import podvm.engine.Image;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;

@Timeout(60)
class MirrorTest {
    private static final byte[] LAYER = new TarBytes().file("bin/sh", "shell").bytes();

    @TempDir Path directory;
    private FakeRegistry server;
    private FakeRegistry mirror;
    private ImageStore store;
    private OciBytes oci;
    private OciBytes.Blob manifest;
    private String reference;

    @BeforeEach
    void publish() throws Exception {
        server = new FakeRegistry();
        mirror = new FakeRegistry();
        oci = new OciBytes();
        manifest = oci.image("amd64", List.of(LAYER));
        reference = server.publish("team/app", oci, manifest);
        mirror.publish("team/app", oci, manifest);
        var platform = new Image.Platform("linux", "amd64");
        var registries = FakeRegistry.impatient(directory.resolve("hosts"), Map.of());
        store =
                ImageStore.open(
                        directory.resolve("store"),
                        new ImageOptions(3, Layers.LIMITS, platform, registries));
    }

    @AfterEach
    void close() throws Exception {
        store.close();
        server.close();
        mirror.close();
    }

    private void hosts(String toml) throws IOException {
        var file = directory.resolve("hosts").resolve(server.host()).resolve("hosts.toml");
        Files.createDirectories(file.getParent());
        Files.writeString(file, toml);
    }

    private Image pull() throws Exception {
        return pull(Optional.empty());
    }

    private Image pull(Optional<Credentials> credentials) throws Exception {
        var soon = Deadline.after(Duration.ofSeconds(20));
        return store.pull(reference, PullPolicy.ALWAYS, credentials, Progress.NONE, soon);
    }

    private static boolean answer(HttpExchange exchange, int status) throws IOException {
        exchange.sendResponseHeaders(status, -1);
        return true;
    }

    @Test
    void aMirrorServesEverythingUnderTheRegistrysName() throws Exception {
        hosts(
                """
                [host."http://%s"]
                [host."http://%s".header]
                x-team = "blue"
                """
                        .formatted(mirror.host(), mirror.host()));
        var asked = Collections.synchronizedList(new ArrayList<String>());
        mirror.misbehave(
                "/",
                (exchange, bytes) -> {
                    asked.add(
                            exchange.getRequestURI().getQuery()
                                    + " "
                                    + exchange.getRequestHeaders().getFirst("x-team"));
                    return false;
                });
        assertThat(pull().names()).contains(reference);
        assertThat(server.requests).isEmpty();
        assertThat(asked).hasSize(3).containsOnly("ns=" + server.host() + " blue");
    }

    @Test
    void aMirrorThatMayNotResolveIsAskedForContentAlone() throws Exception {
        hosts("[host.\"http://%s\"]\ncapabilities = [\"pull\"]".formatted(mirror.host()));
        pull();
        assertThat(server.requests).containsExactly("/v2/team/app/manifests/1");
        assertThat(mirror.requests).hasSize(2).allMatch(path -> path.contains("/blobs/"));
    }

    @Test
    void theNextHostIsAskedWhateverIsWrongWithTheFirst() throws Exception {
        int dead;
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            dead = socket.getLocalPort();
        }
        hosts(
                "[host.\"http://127.0.0.1:%d\"]\n[host.\"http://%s\"]"
                        .formatted(dead, mirror.host()));
        for (int status : new int[] {400, 401, 403, 404, 429, 500, 503}) {
            mirror.requests.clear();
            server.requests.clear();
            mirror.misbehave("/", (exchange, bytes) -> answer(exchange, status));
            assertThat(pull().layers()).hasSize(1);
            assertThat(mirror.requests).as("asked, answers %d", status).isNotEmpty();
            assertThat(server.requests).contains("/v2/team/app/manifests/1");
        }
    }

    @Test
    void contentThatAMirrorAltersIsTakenFromTheServer() throws Exception {
        hosts("[host.\"http://%s\"]".formatted(mirror.host()));
        reference = server.host() + "/team/app@" + manifest.digest();
        mirror.misbehave(
                "/manifests/",
                (exchange, bytes) -> {
                    var other = OciBytes.utf("{}");
                    exchange.sendResponseHeaders(200, other.length);
                    exchange.getResponseBody().write(other);
                    return true;
                });
        assertThat(pull().layers()).hasSize(1);
        assertThat(server.count("/manifests/")).isEqualTo(1);
    }

    @Test
    void aLayerThatAMirrorAltersIsTakenFromTheServerByTheNextTry() throws Exception {
        hosts("[host.\"http://%s\"]".formatted(mirror.host()));
        var layer = oci.blobs().keySet().iterator().next();
        mirror.misbehave(
                "/blobs/" + layer,
                (exchange, bytes) -> {
                    var wrong = bytes.clone();
                    wrong[wrong.length - 5] ^= 1;
                    exchange.sendResponseHeaders(200, wrong.length);
                    exchange.getResponseBody().write(wrong);
                    return true;
                });
        assertThatThrownBy(this::pull)
                .isInstanceOfSatisfying(
                        PodException.class,
                        e -> assertThat(e.kind()).isEqualTo(PodException.Kind.CORRUPT));
        assertThat(pull().layers()).hasSize(1);
        assertThat(server.count("/blobs/" + layer)).isEqualTo(1);
    }

    @Test
    void whenNobodyCanHelpEverybodyIsNamed() throws Exception {
        hosts("[host.\"http://%s\"]".formatted(mirror.host()));
        mirror.misbehave("/", (exchange, bytes) -> answer(exchange, 500));
        server.misbehave("/", (exchange, bytes) -> answer(exchange, 404));
        assertThatThrownBy(this::pull)
                .isInstanceOfSatisfying(
                        PodException.class,
                        e -> assertThat(e.kind()).isEqualTo(PodException.Kind.NOT_FOUND))
                .hasMessageContainingAll(server.host(), mirror.host() + " answers 500");
    }

    @Test
    void credentialsGivenWithTheCallDoNotReachAMirror() throws Exception {
        hosts("[host.\"http://%s\"]".formatted(mirror.host()));
        var seen = Collections.synchronizedList(new ArrayList<String>());
        for (var registry : List.of(mirror, server)) {
            registry.misbehave(
                    "/",
                    (exchange, bytes) -> {
                        var sent = exchange.getRequestHeaders().getFirst("Authorization");
                        if (sent != null) {
                            seen.add(registry.host());
                            return false;
                        }
                        exchange.getResponseHeaders().add("WWW-Authenticate", "Basic realm=\"x\"");
                        return answer(exchange, 401);
                    });
        }
        pull(Optional.of(new Credentials.Password("me", "secret")));
        assertThat(seen).isNotEmpty().containsOnly(server.host());
    }

    @Test
    void aMistakeInTheFileIsToldInsteadOfPassedOver() throws Exception {
        hosts("[host.\"http://%s\"]\ncapabilites = [\"pull\"]".formatted(mirror.host()));
        assertThatThrownBy(this::pull)
                .isInstanceOf(PodException.class)
                .hasMessageContainingAll("capabilites", "hosts.toml");
        assertThat(server.requests).isEmpty();
    }
}
