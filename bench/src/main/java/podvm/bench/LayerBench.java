package podvm.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Optional;
import podvm.engine.Progress;
import podvm.image.ImageOptions;
import podvm.image.ImageStore;

/**
 * A packed layer that becomes a disk in a store which had none, all as the daemon does it, against
 * `tar -xzf` of the same file into an empty directory and the sync of that; both end on the disk.
 */
record LayerBench(Path cache, LayerSample sample) {
    Result run(int pairs) throws Exception {
        var layer = sample.packed(cache);
        try (var scratch = Scratch.in(cache)) {
            var measured =
                    Pairs.measure(
                            pairs,
                            "ms",
                            () -> alone(scratch, empty -> store(layer, empty)),
                            () -> alone(scratch, empty -> unpack(layer, empty)));
            var beside = new LinkedHashMap<String, Double>();
            beside.put("packed_mib", Files.size(layer) / (double) (1 << 20));
            return new Result(
                    sample.name().equals("mix") ? "layer" : "layer-" + sample.name(),
                    measured,
                    "ms",
                    ".tar.gz to disk in the store",
                    "tar -xzf, and sync",
                    0.70,
                    0.35,
                    beside);
        }
    }

    private interface Work {
        void on(Path empty) throws Exception;
    }

    private static double alone(Scratch scratch, Work work) throws Exception {
        try (var empty = Scratch.in(scratch.path())) {
            // what was written or removed before is not this one's to wait for
            call("sync", "-f", empty.path().toString());
            long began = System.nanoTime();
            work.on(empty.path());
            return (System.nanoTime() - began) / 1e6;
        }
    }

    private static void store(Path layer, Path empty) throws Exception {
        try (var store = ImageStore.open(empty, ImageOptions.DEFAULT);
                var packed = Files.newInputStream(layer)) {
            store.load(packed, Optional.of("sample"), Progress.NONE);
        }
    }

    private static void unpack(Path layer, Path empty) throws Exception {
        call("tar", "-xzf", layer.toString(), "-C", empty.toString());
        call("sync", "-f", empty.toString());
    }

    private static void call(String... command) throws IOException, InterruptedException {
        int code = new ProcessBuilder(command).inheritIO().start().waitFor();
        if (code != 0) {
            throw new IllegalStateException(
                    String.join(" ", command) + " ended with exit code " + code);
        }
    }
}
