package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.Image;
import podvm.engine.LayerDisk;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;

/** Kills pulls by SIGKILL at random moments. */
@Timeout(300)
class KilledPullTest {
    private static final int ROUNDS = 8;
    private static final int LAYERS = 4;
    private static final int LAYER_BYTES = 1_500_000;
    private static final int SLICE = 32 << 10;

    @TempDir Path directory;
    private final AtomicLong served = new AtomicLong();

    @Test
    void nothingThatAKilledPullLeavesIsTrustedAndTheNextOneCompletesIt() throws Exception {
        long seed = System.nanoTime();
        System.out.println("KilledPullTest: seed " + seed);
        var random = new Random(seed);
        var oci = new OciBytes();
        var tars = new ArrayList<byte[]>();
        for (int at = 0; at < LAYERS; at++) {
            var noise = new byte[LAYER_BYTES];
            random.nextBytes(noise);
            tars.add(new TarBytes().file("noise-" + at, noise).bytes());
        }
        try (var registry = new FakeRegistry()) {
            var reference = registry.publish("team/app", oci, oci.image("amd64", tars));
            registry.misbehave("/blobs/", this::slowly);
            var right = right(reference);
            var store = directory.resolve("store");
            int killed = 0;
            for (int round = 0; round < ROUNDS; round++) {
                served.set(0);
                var moment = random.nextLong((long) LAYERS * LAYER_BYTES);
                var late = random.nextInt(4) == 0 ? random.nextInt(300) : 0;
                killed += runAndKill(store, reference, moment, late) ? 1 : 0;
                assertWholeLayersOnly(store, right);
                assertUsable(store, reference, right);
            }
            assertThat(killed).as("pulls that were killed before their end").isPositive();
        }
    }

    /** The bytes of each disk and hash tree, as a pull that nobody disturbs writes them. */
    private Map<String, byte[]> right(String reference) throws Exception {
        var right = new HashMap<String, byte[]>();
        try (var store = open(directory.resolve("undisturbed"))) {
            for (var disk : pull(store, reference).layers()) {
                try (var files = Files.list(disk.file().resolveSibling("."))) {
                    for (var file : files.toList()) {
                        right.put(file.getFileName().toString(), Files.readAllBytes(file));
                    }
                }
            }
        }
        assertThat(right).hasSize(2 * LAYERS);
        return right;
    }

    private boolean runAndKill(Path store, String reference, long moment, int late)
            throws Exception {
        var child =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                System.getProperty("java.class.path"),
                                PullProgram.class.getName(),
                                store.toString(),
                                reference)
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("child.log").toFile())
                        .start();
        while (served.get() < moment && child.isAlive()) {
            Thread.sleep(1);
        }
        Thread.sleep(late);
        child.destroyForcibly();
        assertThat(child.waitFor(30, TimeUnit.SECONDS)).isTrue();
        int code = child.exitValue();
        assertThat(code).as(Files.readString(directory.resolve("child.log"))).isIn(0, 128 + 9);
        return code != 0;
    }

    private static void assertWholeLayersOnly(Path store, Map<String, byte[]> right)
            throws IOException {
        var layers = store.resolve("layers/sha256");
        if (!Files.isDirectory(layers)) {
            return;
        }
        try (var files = Files.list(layers)) {
            for (var file : files.toList()) {
                assertThat(Files.readAllBytes(file))
                        .as(file.toString())
                        .isEqualTo(right.get(file.getFileName().toString()));
            }
        }
    }

    private static void assertUsable(Path directory, String reference, Map<String, byte[]> right)
            throws Exception {
        try (var store = open(directory)) {
            try (var unfinished = Files.list(directory.resolve("tmp"))) {
                assertThat(unfinished).isEmpty();
            }
            for (var image : store.list()) {
                assertThat(image.layers()).hasSize(LAYERS);
            }
            var image = pull(store, reference);
            for (LayerDisk disk : image.layers()) {
                assertThat(Files.readAllBytes(disk.file()))
                        .isEqualTo(right.get(disk.file().getFileName().toString()));
                assertThat(ErofsReader.read(disk.file())).hasSize(2);
            }
            store.remove(image.id().toString());
        }
    }

    private static ImageStore open(Path directory) throws Exception {
        var platform = new Image.Platform("linux", "amd64");
        return ImageStore.open(directory, new ImageOptions(3, Layers.LIMITS, platform));
    }

    private static Image pull(ImageStore store, String reference) throws Exception {
        var soon = Deadline.after(Duration.ofSeconds(60));
        return store.pull(reference, PullPolicy.ALWAYS, Progress.NONE, soon);
    }

    private boolean slowly(HttpExchange exchange, byte[] bytes) throws IOException {
        exchange.sendResponseHeaders(200, bytes.length);
        for (int at = 0; at < bytes.length; at += SLICE) {
            int length = Math.min(SLICE, bytes.length - at);
            exchange.getResponseBody().write(bytes, at, length);
            served.addAndGet(length);
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
        return true;
    }
}
