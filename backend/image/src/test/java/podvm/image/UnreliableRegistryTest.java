package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Semaphore;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.Image;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;
import podvm.image.content.Sha256;
import podvm.image.registry.RegistryOptions;

/** Pulls from a real registry through a proxy that does to its answers what it should not. */
@Timeout(120)
class UnreliableRegistryTest {
    private static final int LARGE = 3_000_000;

    @TempDir Path directory;
    private RealRegistry registry;
    private UnreliableProxy proxy;
    private ImageStore store;
    private byte[] tar;
    private String blob;

    @BeforeEach
    void publish() throws Exception {
        registry = RealRegistry.plain(directory.resolve("registry"));
        proxy = new UnreliableProxy(registry.host());
        store = open(FakeRegistry.IMPATIENT);
        var noise = new byte[LARGE];
        new Random(5).nextBytes(noise);
        tar = new TarBytes().file("noise", noise).bytes();
        var oci = new OciBytes();
        var manifest = oci.image("amd64", List.of(tar));
        blob = oci.blobs().keySet().iterator().next().toString();
        oci.write(directory.resolve("layout"), manifest, "1");
        registry.push(directory.resolve("layout"), "1", "team/app:1", "--dest-tls-verify=false");
    }

    @AfterEach
    void close() throws Exception {
        if (store != null) {
            store.close();
            proxy.close();
            registry.close();
        }
    }

    private ImageStore open(RegistryOptions registries) throws PodException {
        var platform = new Image.Platform("linux", "amd64");
        var options = new ImageOptions(3, Layers.LIMITS, platform, registries);
        return ImageStore.open(directory.resolve("store"), options);
    }

    private Image pull() throws Exception {
        return pull(Deadline.after(Duration.ofSeconds(60)));
    }

    private Image pull(Deadline deadline) throws Exception {
        return store.pull(proxy.host() + "/team/app:1", PullPolicy.ALWAYS, Progress.NONE, deadline);
    }

    private void assertPulled() throws Exception {
        var image = pull();
        assertThat(image.layers())
                .extracting(disk -> disk.diffId())
                .containsExactly(Sha256.of(tar));
        assertThat(ErofsReader.read(image.layers().getFirst().file())).containsKey("noise");
        assertThat(proxy.left()).as("faults that nothing met").isZero();
    }

    private AbstractThrowableAssert<?, ? extends Throwable> assertFails(PodException.Kind kind)
            throws Exception {
        var failed =
                assertThatThrownBy(this::pull)
                        .isInstanceOfSatisfying(
                                PodException.class,
                                e -> assertThat(e.kind()).as(e.describe()).isEqualTo(kind));
        try (var unfinished = Files.list(directory.resolve("store/tmp"));
                var layers = Files.list(directory.resolve("store/layers/sha256"))) {
            assertThat(unfinished).isEmpty();
            assertThat(layers).isEmpty();
        }
        return failed;
    }

    @Test
    void aConnectionThatBreaksIsTakenUpWhereItBroke() throws Exception {
        proxy.fail(
                blob,
                UnreliableProxy.cutAfter(1_000_000),
                UnreliableProxy.silence(),
                UnreliableProxy.cutAfter(900_000));
        assertPulled();
        assertThat(proxy.ranges).hasSize(4).startsWith("whole");
        assertThat(proxy.ranges.subList(1, 4)).allMatch(range -> range.startsWith("bytes="));
    }

    @Test
    void anAnswerThatEndsTooEarlyWithoutSayingSoIsTakenUp() throws Exception {
        proxy.fail(blob, UnreliableProxy.endAfter(70_000));
        assertPulled();
        assertThat(proxy.ranges).containsExactly("whole", "bytes=70000-");
    }

    @Test
    void wrongBytesInTheSecondPartAreFoundOut() throws Exception {
        proxy.fail(blob, UnreliableProxy.endAfter(70_000), UnreliableProxy.wrongByte(900_000));
        assertFails(PodException.Kind.CORRUPT);
        assertPulled();
    }

    @Test
    void aConnectionThatNeverGetsFurtherIsGivenUpAfterAFewTries() throws Exception {
        var cut = UnreliableProxy.endAfter(0);
        proxy.fail(blob, cut, cut, cut, cut, cut, cut, cut, cut);
        assertFails(PodException.Kind.CORRUPT).hasMessageContaining("ends after 0 of");
        assertThat(proxy.ranges).hasSize(FakeRegistry.IMPATIENT.patience().tries());
    }

    @Test
    void aLengthThatIsNotTheManifestsIsRefusedBeforeAnythingIsRead() throws Exception {
        for (int length : new int[] {1000, 2 * LARGE}) {
            proxy.fail(blob, UnreliableProxy.length(length));
            assertFails(PodException.Kind.CORRUPT)
                    .hasMessageContainingAll(length + " bytes at " + proxy.host(), blob);
        }
        assertPulled();
    }

    @Test
    void whoAsksForAWhileGetsIt() throws Exception {
        proxy.fail(
                "/",
                UnreliableProxy.status(429, "Retry-After", "1"),
                UnreliableProxy.status(503, "Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"),
                UnreliableProxy.status(502));
        assertPulled();
    }

    @Test
    void whoAsksForTooLongIsNotWaitedFor() throws Exception {
        proxy.fail(
                "/manifests/",
                UnreliableProxy.status(429, "Retry-After", "7200"),
                UnreliableProxy.silence());
        assertFails(PodException.Kind.UNAVAILABLE).hasMessageContaining("too many requests");
        assertThat(proxy.ranges).hasSize(1);
    }

    @Test
    void errorsThatStayAreToldAfterAFewTries() throws Exception {
        var broken = UnreliableProxy.status(500);
        proxy.fail("/manifests/", broken, broken, broken, broken, broken, broken);
        assertFails(PodException.Kind.UNAVAILABLE)
                .hasMessageContainingAll("500", proxy.host() + "/team/app:1");
        assertThat(proxy.ranges).hasSize(FakeRegistry.IMPATIENT.patience().tries());
    }

    @Test
    void aServerThatFallsSilentIsLeftAndAskedAgain() throws Exception {
        store.close();
        var base = FakeRegistry.IMPATIENT.patience();
        store =
                open(
                        new RegistryOptions(
                                List.of(),
                                Optional.empty(),
                                Map.of(),
                                new RegistryOptions.Patience(
                                        base.connect(),
                                        base.answer(),
                                        Duration.ofMillis(400),
                                        base.tries(),
                                        base.firstPause(),
                                        base.longestPause())));
        var release = new Semaphore(0);
        proxy.fail(blob, UnreliableProxy.stallAfter(100_000, release));
        try {
            assertPulled();
        } finally {
            release.release();
        }
        assertThat(proxy.ranges).hasSize(2);
    }

    @Test
    void anInterruptEndsAPullThatWaitsForItsNextTry() throws Exception {
        store.close();
        var hour = Duration.ofHours(1);
        store =
                open(
                        new RegistryOptions(
                                List.of(),
                                Optional.empty(),
                                Map.of(),
                                new RegistryOptions.Patience(hour, hour, hour, 9, hour, hour)));
        for (var part : List.of("/manifests/", blob)) {
            var asked = new Semaphore(0);
            proxy.fail(
                    part,
                    (exchange, honest) -> {
                        UnreliableProxy.status(503, "Retry-After", "3000").answer(exchange, honest);
                        asked.release();
                    });
            var ended = new ArrayList<Throwable>();
            var thread =
                    Thread.startVirtualThread(() -> {
                        try {
                            pull(Deadline.after(hour));
                        } catch (Exception e) {
                            ended.add(e);
                        }
                    });
            asked.acquire();
            Thread.sleep(200);
            thread.interrupt();
            assertThat(thread.join(Duration.ofSeconds(30))).isTrue();
            assertThat(ended).singleElement().isInstanceOf(InterruptedException.class);
        }
        assertPulled();
    }
}
