package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.Image;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;
import podvm.image.content.Sha256;

@Timeout(60)
class PullTest {
    private static final ImageOptions OPTIONS =
            new ImageOptions(
                    3, Layers.LIMITS, new Image.Platform("linux", "amd64"), FakeRegistry.IMPATIENT);
    private static final byte[] BASE = new TarBytes().file("bin/sh", "shell").bytes();
    private static final byte[] TOP = new TarBytes().file("app", noise(300_000)).bytes();

    @TempDir Path directory;
    private ImageStore store;
    private FakeRegistry registry;
    private OciBytes oci;
    private OciBytes.Blob manifest;
    private String reference;

    @BeforeEach
    void publish() throws Exception {
        registry = new FakeRegistry();
        store = ImageStore.open(directory, OPTIONS);
        oci = new OciBytes();
        manifest = oci.image("amd64", List.of(BASE, TOP));
        reference = registry.publish("team/app", oci, manifest);
    }

    @AfterEach
    void close() throws PodException {
        store.close();
        registry.close();
    }

    private static byte[] noise(int length) {
        var bytes = new byte[length];
        new Random(3).nextBytes(bytes);
        return bytes;
    }

    private Image pull(String name, PullPolicy policy) throws Exception {
        return store.pull(name, policy, Progress.NONE, Deadline.after(Duration.ofSeconds(20)));
    }

    private Image pull() throws Exception {
        return pull(reference, PullPolicy.ALWAYS);
    }

    @Test
    void anImageIsPulledUnderItsTagAndItsDigest() throws Exception {
        var steps = Collections.synchronizedList(new ArrayList<String>());
        var image =
                store.pull(
                        reference,
                        PullPolicy.IF_NOT_PRESENT,
                        (step, done, total) -> steps.add(step + (done == total ? " whole" : "")),
                        Deadline.after(Duration.ofSeconds(20)));
        var exact = registry.host() + "/team/app@" + manifest.digest();
        assertThat(image.names()).containsExactlyInAnyOrder(reference, exact);
        assertThat(image.layers())
                .extracting(disk -> disk.diffId())
                .containsExactly(Sha256.of(BASE), Sha256.of(TOP));
        var layer = oci.blobs().keySet().iterator().next();
        assertThat(steps).contains("manifest", "layer " + layer.hex().substring(0, 12) + " whole");
        assertThat(store.find(exact)).contains(image);
        store.remove(reference);
        assertThat(store.list()).isEmpty();
    }

    @Test
    void whatIsThereIsNotFetchedAgain() throws Exception {
        var image = pull();
        registry.requests.clear();
        assertThat(pull(reference, PullPolicy.IF_NOT_PRESENT)).isEqualTo(image);
        assertThat(registry.requests).isEmpty();
        assertThat(pull()).isEqualTo(image);
        assertThat(registry.count("/manifests/1")).isEqualTo(1);
        assertThat(registry.count("/blobs/")).as("the configuration alone").isEqualTo(1);
    }

    @Test
    void aTagThatMovesLeadsToTheNewImageAndTheOldOneKeepsItsDigest() throws Exception {
        var old = pull();
        registry.publish("team/app", oci, oci.image("amd64", List.of(BASE)));
        var moved = pull();
        assertThat(moved.id()).isNotEqualTo(old.id());
        assertThat(store.find(reference)).contains(moved);
        assertThat(store.find(registry.host() + "/team/app@" + manifest.digest())).isPresent();
    }

    @Test
    void theImageOfThisPlatformIsChosen() throws Exception {
        var arm = oci.image("arm64", List.of(TOP));
        var index =
                oci.index(
                        OciBytes.descriptor(OciBytes.OCI_MANIFEST, arm, OciBytes.platform("arm64")),
                        OciBytes.descriptor(
                                OciBytes.OCI_MANIFEST, manifest, OciBytes.platform("amd64")));
        reference = registry.publish("team/multi", oci, index);
        assertThat(pull().names()).contains(registry.host() + "/team/multi@" + index.digest());
        var onlyArm =
                oci.index(
                        OciBytes.descriptor(
                                OciBytes.OCI_MANIFEST, arm, OciBytes.platform("arm64")));
        reference = registry.publish("team/arm", oci, onlyArm);
        assertFails(PodException.Kind.UNSUPPORTED)
                .hasMessageContainingAll(reference, "linux/arm64", "linux/amd64");
        reference = registry.publish("team/arm", oci, arm);
        assertFails(PodException.Kind.UNSUPPORTED)
                .hasMessageContainingAll(reference, "linux/arm64", "linux/amd64");
    }

    @Test
    void wrongBytesAreRefusedNamingBothDigests() {
        var digest = largeLayer();
        registry.misbehave(
                "/blobs/" + digest,
                (exchange, bytes) -> {
                    var wrong = bytes.clone();
                    wrong[wrong.length / 2] ^= 1;
                    exchange.sendResponseHeaders(200, wrong.length);
                    exchange.getResponseBody().write(wrong);
                    return true;
                });
        assertFails(PodException.Kind.CORRUPT);
        assertNothingIsLeft();
    }

    @Test
    void anotherBlobOfTheSameLengthIsRefusedNamingBothDigests() {
        var config = oci.blobs().keySet().stream().skip(2).findFirst().orElseThrow();
        registry.misbehave(
                "/blobs/" + config,
                (exchange, bytes) -> {
                    var other = new byte[bytes.length];
                    exchange.sendResponseHeaders(200, other.length);
                    exchange.getResponseBody().write(other);
                    return true;
                });
        assertFails(PodException.Kind.CORRUPT)
                .hasMessageContainingAll("expected " + config, "digest sha256:");
    }

    @Test
    void aBlobOfAnotherLengthIsRefused() {
        registry.misbehave(
                "/blobs/" + largeLayer(),
                (exchange, bytes) -> {
                    exchange.sendResponseHeaders(200, 1000);
                    exchange.getResponseBody().write(bytes, 0, 1000);
                    return true;
                });
        assertFails(PodException.Kind.CORRUPT);
        registry.misbehave(
                "/blobs/" + largeLayer(),
                (exchange, bytes) -> {
                    var longer = Arrays.copyOf(bytes, bytes.length + 100);
                    exchange.sendResponseHeaders(200, longer.length);
                    exchange.getResponseBody().write(longer);
                    return true;
                });
        assertFails(PodException.Kind.CORRUPT).hasMessageContaining("the manifest says");
        assertNothingIsLeft();
    }

    @Test
    void aConnectionThatIsCutIsUnavailableAndTheNextTrySucceeds() throws Exception {
        registry.misbehave(
                "/blobs/" + largeLayer(),
                (exchange, bytes) -> {
                    exchange.sendResponseHeaders(200, bytes.length);
                    exchange.getResponseBody().write(bytes, 0, 5000);
                    exchange.getResponseBody().flush();
                    return true;
                });
        assertFails(PodException.Kind.UNAVAILABLE).hasMessageContaining(registry.host());
        assertNothingIsLeft();
        registry.behave();
        assertThat(pull().layers()).hasSize(2);
    }

    @Test
    void aBodyThatStallsEndsWithTheDeadline() {
        var release = new CountDownLatch(1);
        registry.misbehave(
                "/blobs/" + largeLayer(), (exchange, bytes) -> stall(release, exchange, bytes));
        try {
            var soon = Deadline.after(Duration.ofMillis(700));
            assertThatThrownBy(() -> store.pull(reference, PullPolicy.ALWAYS, Progress.NONE, soon))
                    .isInstanceOfSatisfying(
                            PodException.class,
                            e -> assertThat(e.kind()).isEqualTo(PodException.Kind.DEADLINE));
            registry.misbehave(
                    "/manifests/1", (exchange, bytes) -> stall(release, exchange, bytes));
            var again = Deadline.after(Duration.ofMillis(700));
            assertThatThrownBy(() -> store.pull(reference, PullPolicy.ALWAYS, Progress.NONE, again))
                    .isInstanceOfSatisfying(
                            PodException.class,
                            e -> assertThat(e.kind()).isEqualTo(PodException.Kind.DEADLINE));
        } finally {
            release.countDown();
        }
        assertNothingIsLeft();
    }

    @Test
    void anInterruptEndsAPull() throws Exception {
        var release = new CountDownLatch(1);
        var started = new CountDownLatch(1);
        registry.misbehave(
                "/blobs/" + largeLayer(),
                (exchange, bytes) -> {
                    started.countDown();
                    return stall(release, exchange, bytes);
                });
        var ended = new ArrayList<Throwable>();
        var thread =
                Thread.startVirtualThread(() -> {
                    try {
                        pull();
                    } catch (Exception e) {
                        ended.add(e);
                    }
                });
        started.await();
        thread.interrupt();
        assertThat(thread.join(Duration.ofSeconds(10))).isTrue();
        release.countDown();
        assertThat(ended).singleElement().isInstanceOf(InterruptedException.class);
        assertNothingIsLeft();
    }

    @Test
    void manyPullsAtOnceFetchEachLayerOnce() throws Exception {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var pulls = new ArrayList<Future<Image>>();
            for (int at = 0; at < 12; at++) {
                pulls.add(threads.submit(() -> pull()));
            }
            for (var pull : pulls) {
                assertThat(pull.get().layers()).hasSize(2);
            }
        }
        assertThat(registry.count("/blobs/" + largeLayer())).isEqualTo(1);
    }

    @Test
    void twoImagesPulledAtOnceFetchTheLayerTheyShareOnce() throws Exception {
        var other = registry.publish("team/other", oci, oci.image("amd64", List.of(TOP)));
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var one = threads.submit(() -> pull());
            var two = threads.submit(() -> pull(other, PullPolicy.ALWAYS));
            assertThat(one.get().layers()).hasSize(2);
            assertThat(two.get().layers()).hasSize(1);
        }
        assertThat(registry.count("/blobs/" + largeLayer())).isEqualTo(1);
    }

    @Test
    void aBlobIsTakenUpEvenWhereTheServerKnowsNoRanges() throws Exception {
        var tries = new AtomicInteger();
        registry.misbehave(
                "/blobs/" + largeLayer(),
                (exchange, bytes) -> {
                    if (tries.incrementAndGet() > 2) {
                        return false;
                    }
                    exchange.sendResponseHeaders(200, bytes.length);
                    exchange.getResponseBody().write(bytes, 0, 90_000 * tries.get());
                    exchange.getResponseBody().flush();
                    return true;
                });
        assertThat(pull().layers()).hasSize(2);
        assertThat(tries).hasValue(3);
    }

    @Test
    void whoWaitedForAFetchThatFailsTriesItself() throws Exception {
        var first = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        registry.misbehave(
                "/blobs/" + largeLayer(),
                (exchange, bytes) -> {
                    if (first.getCount() == 0) {
                        return false;
                    }
                    first.countDown();
                    return stall(release, exchange, bytes);
                });
        var leader = Thread.startVirtualThread(() -> assertThatThrownBy(this::pull));
        first.await();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var follower = threads.submit(() -> pull());
            Thread.sleep(200);
            leader.interrupt();
            assertThat(follower.get().layers()).hasSize(2);
        } finally {
            release.countDown();
        }
    }

    @Test
    void aTokenIsFetchedWhenTheRegistryAsksForOne() throws Exception {
        registry.misbehave(
                "/v2/",
                (exchange, bytes) -> {
                    var sent = exchange.getRequestHeaders().getFirst("Authorization");
                    if ("Bearer secret".equals(sent)) {
                        return false;
                    }
                    exchange.getResponseHeaders()
                            .add(
                                    "WWW-Authenticate",
                                    ("Bearer realm=\"http://%s/token?a=b\","
                                                    + "service=\"the registry\","
                                                    + "scope=\"repository:team/app:pull\"")
                                            .formatted(registry.host()));
                    exchange.sendResponseHeaders(401, -1);
                    return true;
                });
        registry.misbehave(
                "/token",
                (exchange, bytes) -> {
                    assertThat(exchange.getRequestURI().getQuery())
                            .isEqualTo("a=b&service=the+registry&scope=repository:team/app:pull");
                    var answer = OciBytes.utf("{\"token\":\"secret\"}");
                    exchange.sendResponseHeaders(200, answer.length);
                    exchange.getResponseBody().write(answer);
                    return true;
                });
        assertThat(pull().layers()).hasSize(2);
        assertThat(registry.count("/token")).isEqualTo(1);
    }

    @Test
    void aRegistryThatWantsAPasswordIsDenied() {
        registry.misbehave(
                "/v2/",
                (exchange, bytes) -> {
                    exchange.getResponseHeaders().add("WWW-Authenticate", "Basic realm=\"x\"");
                    exchange.sendResponseHeaders(401, -1);
                    return true;
                });
        assertFails(PodException.Kind.DENIED).hasMessageContainingAll(registry.host(), reference);
    }

    @Test
    void aTokenDoesNotFollowARedirectToAnotherHost() throws Exception {
        try (var other = new FakeRegistry()) {
            other.publish("team/app", oci, manifest);
            var leaked = Collections.synchronizedList(new ArrayList<String>());
            other.misbehave(
                    "/",
                    (exchange, bytes) -> {
                        leaked.addAll(
                                exchange.getRequestHeaders()
                                        .getOrDefault("Authorization", List.of()));
                        return false;
                    });
            registry.misbehave(
                    "/v2/team/app/blobs/",
                    (exchange, bytes) -> {
                        exchange.getResponseHeaders()
                                .add(
                                        "Location",
                                        "http://" + other.host() + exchange.getRequestURI());
                        exchange.sendResponseHeaders(307, -1);
                        return true;
                    });
            registry.misbehave(
                    "/v2/team/app/manifests/",
                    (exchange, bytes) -> {
                        if (exchange.getRequestHeaders().containsKey("Authorization")) {
                            return false;
                        }
                        exchange.getResponseHeaders()
                                .add(
                                        "WWW-Authenticate",
                                        "Bearer realm=\"http://%s/token\",service=\"s\""
                                                .formatted(registry.host()));
                        exchange.sendResponseHeaders(401, -1);
                        return true;
                    });
            registry.misbehave(
                    "/token",
                    (exchange, bytes) -> {
                        var answer = OciBytes.utf("{\"access_token\":\"secret\"}");
                        exchange.sendResponseHeaders(200, answer.length);
                        exchange.getResponseBody().write(answer);
                        return true;
                    });
            assertThat(pull().layers()).hasSize(2);
            assertThat(other.count("/blobs/")).isEqualTo(3);
            assertThat(leaked).isEmpty();
        }
    }

    @Test
    void redirectsThatGoRoundOrLeaveHttpsAreRefused() {
        for (var target :
                List.of("/v2/team/app/manifests/1", "http://registry.example/x", "ftp:x")) {
            registry.misbehave(
                    "/manifests/1",
                    (exchange, bytes) -> {
                        exchange.getResponseHeaders().add("Location", target);
                        exchange.sendResponseHeaders(302, -1);
                        return true;
                    });
            assertFails(PodException.Kind.UNAVAILABLE).hasMessageContaining("redirects");
        }
    }

    @Test
    void aMissingImageIsNotFoundByItsName() {
        reference = registry.host() + "/team/none:7";
        assertFails(PodException.Kind.NOT_FOUND).hasMessageContaining(reference);
    }

    @Test
    void aRegistryThatDoesNotAnswerIsUnavailableByName() throws Exception {
        int port;
        try (var socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        reference = "localhost:" + port + "/a";
        assertFails(PodException.Kind.UNAVAILABLE)
                .hasMessageContainingAll("localhost:" + port, "ConnectException");
    }

    @Test
    void serverErrorsAreUnavailable() {
        registry.misbehave(
                "/manifests/1",
                (exchange, bytes) -> {
                    exchange.sendResponseHeaders(503, -1);
                    return true;
                });
        assertFails(PodException.Kind.UNAVAILABLE).hasMessageContaining("503");
    }

    @Test
    void aManifestThatIsNotWhatItsDigestSaysIsRefused() {
        reference = registry.host() + "/team/app@sha256:" + "0".repeat(64);
        registry.misbehave(
                "/manifests/sha256:0000",
                (exchange, bytes) -> {
                    exchange.sendResponseHeaders(200, manifest.bytes().length);
                    exchange.getResponseBody().write(manifest.bytes());
                    return true;
                });
        assertFails(PodException.Kind.CORRUPT)
                .hasMessageContainingAll("0".repeat(64), manifest.digest().hex());
    }

    @Test
    void layersPackedWithZstdAreTaken() throws Exception {
        var zstd = oci.add("application/vnd.oci.image.layer.v1.tar+zstd", Zstd.compress(BASE));
        var packed =
                oci.manifest(
                        OciBytes.config("amd64", List.of(BASE)),
                        List.of(OciBytes.descriptor("", zstd, "")));
        reference = registry.publish("team/zstd", oci, packed);
        assertThat(pull().layers()).hasSize(1);
    }

    @Test
    void plainTarLayersAreTaken() throws Exception {
        var plain = oci.add("application/vnd.oci.image.layer.v1.tar", BASE);
        var packed =
                oci.manifest(
                        OciBytes.config("amd64", List.of(BASE)),
                        List.of(OciBytes.descriptor("", plain, "")));
        reference = registry.publish("team/plain", oci, packed);
        assertThat(pull().layers()).hasSize(1);
    }

    @Test
    void otherDocumentsAreNoManifests() throws Exception {
        for (var text : List.of("{}", "{\"schemaVersion\":1,\"fsLayers\":[]}")) {
            reference = registry.publish("team/old", oci, oci.add("x", OciBytes.utf(text)));
            assertFails(PodException.Kind.UNSUPPORTED).hasMessageContaining(reference);
        }
        for (var text : List.of("[", "1", "", "[".repeat(100_000))) {
            reference = registry.publish("team/bad", oci, oci.add("x", OciBytes.utf(text)));
            assertFails(PodException.Kind.CORRUPT).hasMessageContaining(reference);
        }
    }

    @Test
    void layersThatAreForeignOrOfAnUnknownTypeAreRefusedByName() throws Exception {
        var layer = oci.add("application/octet-stream", BASE);
        for (var type :
                List.of(
                        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                        "application/vnd.oci.image.layer.nondistributable.v1.tar",
                        "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
                        "application/wasm")) {
            var image =
                    oci.manifest(
                            OciBytes.config("amd64", List.of(BASE)),
                            List.of(OciBytes.descriptor(type, layer, "")));
            reference = registry.publish("team/odd", oci, image);
            assertFails(PodException.Kind.UNSUPPORTED)
                    .hasMessageContainingAll(type, layer.digest().toString(), reference);
        }
        assertThat(registry.count("/blobs/")).isZero();
    }

    @Test
    void anArtifactIsRefusedByItsType() throws Exception {
        var config = oci.add("application/vnd.oci.empty.v1+json", OciBytes.utf("{}"));
        var artifact =
                oci.add(
                        OciBytes.OCI_MANIFEST,
                        OciBytes.utf(
                                """
                                {"schemaVersion":2,"artifactType":"text/vnd.example.sbom",
                                "config":%s,"layers":[%s]}
                                """
                                        .formatted(
                                                OciBytes.descriptor(
                                                        "application/vnd.oci.empty.v1+json",
                                                        config,
                                                        ""),
                                                OciBytes.descriptor("text/plain", config, ""))));
        reference = registry.publish("team/sbom", oci, artifact);
        assertFails(PodException.Kind.UNSUPPORTED)
                .hasMessageContainingAll("text/vnd.example.sbom", reference);
    }

    @Test
    void indexesInsideIndexesAreFollowedOnlySoFar() throws Exception {
        var inner =
                oci.index(
                        OciBytes.descriptor(
                                OciBytes.OCI_MANIFEST, manifest, OciBytes.platform("amd64")));
        var outer =
                oci.index(
                        OciBytes.descriptor("application/vnd.example", manifest, ""),
                        OciBytes.descriptor(OciBytes.OCI_INDEX, inner, ""));
        reference = registry.publish("team/nested", oci, outer);
        assertThat(pull().layers()).hasSize(2);
        var deep = outer;
        for (int depth = 0; depth < 5; depth++) {
            deep = oci.index(OciBytes.descriptor(OciBytes.OCI_INDEX, deep, ""));
        }
        reference = registry.publish("team/deep", oci, deep);
        assertFails(PodException.Kind.CORRUPT).hasMessageContainingAll("indexes inside", reference);
    }

    @Test
    void aManifestOrConfigurationThatIsTooLargeIsRefusedUnread() throws Exception {
        var large = new OciBytes.Blob(Sha256.of(BASE), new byte[(4 << 20) + 1]);
        reference = registry.publish("team/large", oci, oci.add("x", large.bytes()));
        assertFails(PodException.Kind.CORRUPT).hasMessageContainingAll("4194304", reference);
        var index = oci.index(OciBytes.descriptor(OciBytes.OCI_MANIFEST, large, ""));
        reference = registry.publish("team/large", oci, index);
        assertFails(PodException.Kind.CORRUPT).hasMessageContaining("4194304");
        var image =
                oci.add(
                        OciBytes.OCI_MANIFEST,
                        OciBytes.utf(
                                "{\"config\":%s,\"layers\":[]}"
                                        .formatted(OciBytes.descriptor("", large, ""))));
        reference = registry.publish("team/large", oci, image);
        assertFails(PodException.Kind.CORRUPT).hasMessageContaining("4194304");
        assertThat(registry.count("/blobs/")).isZero();
    }

    @Test
    void theBestVariantThatRunsHereIsChosen() throws Exception {
        var v2 = oci.image("amd64", List.of(BASE, TOP, TOP));
        var index =
                oci.index(
                        OciBytes.descriptor(
                                OciBytes.OCI_MANIFEST, v2, OciBytes.platform("amd64", "v3")),
                        OciBytes.descriptor(
                                OciBytes.OCI_MANIFEST, manifest, OciBytes.platform("amd64")));
        reference = registry.publish("team/variants", oci, index);
        assertThat(pull().layers()).hasSize(2);
        var onlyV3 =
                oci.index(
                        OciBytes.descriptor(
                                OciBytes.OCI_MANIFEST, v2, OciBytes.platform("amd64", "v3")));
        reference = registry.publish("team/v3", oci, onlyV3);
        assertFails(PodException.Kind.UNSUPPORTED).hasMessageContaining("linux/amd64/v3");
    }

    @Test
    void aShortNameSaysWhatItBecame() {
        var steps = Collections.synchronizedList(new ArrayList<String>());
        var now = Deadline.after(Duration.ZERO);
        assertThatThrownBy(() ->
                        store.pull(
                                "busybox",
                                PullPolicy.ALWAYS,
                                (step, done, total) -> steps.add(step),
                                now))
                .isInstanceOf(PodException.class);
        assertThat(steps).contains("busybox is docker.io/library/busybox:latest");
    }

    private static byte[] zstd() {
        return new byte[] {0x28, (byte) 0xB5, 0x2F, (byte) 0xFD, 0, 0, 0, 0};
    }

    private static boolean stall(CountDownLatch release, HttpExchange exchange, byte[] bytes)
            throws IOException {
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes, 0, bytes.length / 2);
        exchange.getResponseBody().flush();
        try {
            release.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        return true;
    }

    private Digest largeLayer() {
        return oci.blobs().keySet().stream().skip(1).findFirst().orElseThrow();
    }

    private AbstractThrowableAssert<?, ? extends Throwable> assertFails(PodException.Kind kind) {
        return assertThatThrownBy(this::pull)
                .isInstanceOfSatisfying(
                        PodException.class,
                        e -> assertThat(e.kind()).as(e.describe()).isEqualTo(kind));
    }

    /** Whole layers may stay for the next try; anything else may not. */
    private void assertNothingIsLeft() {
        try (Stream<Path> unfinished = Files.list(directory.resolve("tmp"));
                Stream<Path> layers = Files.list(directory.resolve("layers/sha256"))) {
            assertThat(unfinished).isEmpty();
            assertThat(layers)
                    .extracting(file -> file.getFileName().toString())
                    .isSubsetOf(
                            Sha256.of(BASE).hex() + ".erofs", Sha256.of(BASE).hex() + ".verity");
            assertThat(store.list()).isEmpty();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
