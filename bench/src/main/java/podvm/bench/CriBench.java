package podvm.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;

/**
 * What the kubelet asks all the time, of a node with 200 pods: podvmd's CRI socket against
 * containerd's. Of those for which something is promised the worst ratio counts.
 */
record CriBench(Place place, Path peers) {
    private static final int PODS = 200;
    private static final List<String> VERBS =
            List.of(
                    "Status",
                    "ListPodSandbox",
                    "ListContainers",
                    "PodSandboxStatus",
                    "ContainerStatus");

    private static final List<String> PROMISED =
            List.of("Status", "ListPodSandbox", "ListContainers");

    /** As the launcher starts podvmd. */
    private static final List<String> FLAGS =
            List.of(
                    "-XX:+UseSerialGC",
                    "-Xms16m",
                    "-Xmx256m",
                    "-Xss512k",
                    "-XX:+UseCompactObjectHeaders",
                    "-Dio.netty.allocator.type=unpooled",
                    "--enable-native-access=ALL-UNNAMED");

    Result run(int pairs) throws Exception {
        try (var scratch = Scratch.in(Node.PARENT)) {
            var configuration = CniConfiguration.write(scratch.path().resolve("net.d"));
            var ours = scratch.path().resolve("podvm.sock");
            var node = node(scratch.path(), ours, configuration);
            try (var containerd =
                    Containerd.forKubernetes(
                            peers, scratch.path().resolve("containerd"), configuration)) {
                containerd.load(place.busybox());
                var all =
                        new Yardstick(peers.resolve("yardstick"))
                                .run(
                                        "reads",
                                        ours,
                                        containerd.socket(),
                                        Containerd.IMAGE,
                                        "-pods",
                                        Integer.toString(PODS),
                                        "-pairs",
                                        Integer.toString(pairs));
                return result(all, node.pid());
            } finally {
                node.destroy();
                var _ = node.onExit().join();
            }
        }
    }

    private Process node(Path scratch, Path socket, Path configuration) throws Exception {
        var words = new ArrayList<String>();
        words.add(place.java().toString());
        words.addAll(FLAGS);
        words.addAll(List.of("-cp", System.getProperty("java.class.path")));
        words.add(MachinelessNode.class.getName());
        words.addAll(
                List.of(
                        socket.toString(),
                        Files.createDirectories(scratch.resolve("node")).toString(),
                        Containerd.IMAGE,
                        configuration.toString(),
                        peers.toString()));
        var process =
                new ProcessBuilder(words)
                        .redirectErrorStream(true)
                        .redirectOutput(scratch.resolve("node.log").toFile())
                        .start();
        while (!Files.exists(socket)) {
            if (process.waitFor(50, TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException(Files.readString(scratch.resolve("node.log")));
            }
        }
        return process;
    }

    private static Result result(List<JsonNode> all, long node) throws Exception {
        var beside = new LinkedHashMap<String, Double>();
        for (var verb : VERBS) {
            for (var figure : List.of("p50", "p99")) {
                var pairs = Yardstick.pairs(all, verb, figure);
                var name = verb + "_" + figure;
                beside.put(name + "_ratio", Pairs.median(pairs.ratios()));
                beside.put(name + "_ms", Pairs.median(pairs.subject()));
                beside.put(name + "_control_ms", Pairs.median(pairs.control()));
            }
        }
        beside.put("node_rss_mib", ProcStat.rssKib(node) / 1024);
        var worst =
                PROMISED.stream()
                        .map(verb -> Yardstick.pairs(all, verb, "p50"))
                        .max(Comparator.comparingDouble(pairs -> Pairs.median(pairs.ratios())))
                        .orElseThrow();
        return new Result(
                "cri",
                worst,
                "ms",
                "podvmd: the worst of Status and the lists, p50",
                "containerd: the same",
                1.3,
                0.7,
                beside);
    }
}
