package podvm.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * A pull from a registry on loopback to an image that can be mounted: by podvmd into its store,
 * against containerd with its overlayfs snapshotter, whose client asks for the same. What was
 * pulled is removed before the next turn.
 */
record PullBench(Place place, Path peers) {
    private static final int LAYERS = 4;

    Result run(int pairs) throws Exception {
        var layers = new ArrayList<Path>();
        for (int i = 0; i < LAYERS; i++) {
            layers.add(LayerSample.mix(i).packed(Place.cache()));
        }
        try (var scratch = Scratch.in(Node.PARENT);
                var registry = Registry.start(scratch.path().resolve("registry"));
                var containerd = Containerd.start(peers, scratch.path().resolve("containerd"));
                var node = Node.start(place)) {
            var reference = registry.push(layers);
            var measured =
                    Pairs.measure(
                            pairs,
                            "ms",
                            () -> timed(() -> node.pull(reference), () -> node.forget(reference)),
                            () ->
                                    timed(
                                            () -> containerd.pull(reference),
                                            () -> containerd.remove(reference)));
            var beside = new LinkedHashMap<String, Double>();
            beside.put("daemon_peak_rss_mib", ProcStat.peakRssKib(node.daemonPid()) / 1024);
            beside.put("packed_mib", bytes(layers) / (double) (1 << 20));
            return new Result(
                    "pull",
                    measured,
                    "ms",
                    "podvmd: pull to layer disks",
                    "containerd: pull to overlayfs snapshots",
                    0.65,
                    0.42,
                    beside);
        }
    }

    private interface Step {
        void run() throws Exception;
    }

    private static double timed(Step pull, Step removal) throws Exception {
        // what the other side wrote is not this one's to wait for
        new ProcessBuilder("sync").start().waitFor();
        long began = System.nanoTime();
        pull.run();
        double millis = (System.nanoTime() - began) / 1e6;
        removal.run();
        return millis;
    }

    private static long bytes(List<Path> files) {
        return files.stream().mapToLong(file -> file.toFile().length()).sum();
    }
}
