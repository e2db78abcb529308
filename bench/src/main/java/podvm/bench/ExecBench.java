package podvm.bench;

import java.nio.file.Path;
import java.util.LinkedHashMap;

/**
 * A command that does nothing, by ExecSync, in a running container; and a gibibyte that goes
 * through the streaming server into cat and comes back: podvmd with a machine against containerd
 * with runc.
 */
record ExecBench(Place place, Path peers) {
    private static final long BYTES = 1L << 30;
    private static final double SLOWEST = 0.5;

    Result run(int pairs) throws Exception {
        try (var scratch = Scratch.in(Node.PARENT);
                var containerd =
                        Containerd.forKubernetes(
                                peers,
                                scratch.path().resolve("containerd"),
                                CniConfiguration.write(scratch.path().resolve("net.d")));
                var node = Node.start(place, "--set", "network.cluster=user")) {
            containerd.load(place.busybox());
            var all =
                    new Yardstick(peers.resolve("yardstick"))
                            .run(
                                    "exec",
                                    node.criSocket(),
                                    containerd.socket(),
                                    Containerd.IMAGE,
                                    "-pairs",
                                    Integer.toString(pairs),
                                    "-bytes",
                                    Long.toString(Long.getLong("podvm.bench.bytes", BYTES)));
            var rates = Yardstick.pairs(all, "cat", "rate");
            double rate = Pairs.median(rates.ratios());
            var beside = new LinkedHashMap<String, Double>();
            beside.put("cat_rate_ratio", rate);
            beside.put("cat_rate_least", SLOWEST);
            beside.put("cat_mb_per_s", Pairs.median(rates.subject()));
            beside.put("cat_control_mb_per_s", Pairs.median(rates.control()));
            return new Result(
                    "exec",
                    Yardstick.pairs(all, "ExecSync", "ms"),
                    "ms",
                    "podvmd: ExecSync of true in a machine",
                    "containerd and runc: the same",
                    1.0,
                    0.5,
                    beside,
                    rate >= SLOWEST);
        }
    }
}
