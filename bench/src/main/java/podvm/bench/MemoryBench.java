package podvm.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;

/**
 * Proportional set size of a running pod's VMM against that of a bare machine of the same size,
 * both at rest; and what the daemon itself takes.
 */
record MemoryBench(Place place) {
    private static final int SETTLE_MILLIS = 1500;

    Result run(int pairs) throws Exception {
        try (var scratch = Scratch.in(Node.PARENT);
                var node = Node.start(place)) {
            var bare = Bare.staying(place.bareOptions(scratch.path()));
            long daemon = node.daemonPid();
            var measured =
                    Pairs.measure(
                            pairs,
                            "MiB",
                            () -> {
                                var pod = node.run("echo ready; exec sleep 1000");
                                node.awaitOutput(pod, "ready");
                                Thread.sleep(SETTLE_MILLIS);
                                double mib = ProcStat.pssKib(Node.vmm(pod)) / 1024;
                                node.remove(pod);
                                return mib;
                            },
                            () -> {
                                var machine = Bare.boot(bare);
                                Thread.sleep(SETTLE_MILLIS);
                                double mib = ProcStat.pssKib(machine.process().pid()) / 1024;
                                machine.end();
                                return mib;
                            });
            var beside = new LinkedHashMap<String, Double>();
            beside.put("daemon_rss_mib_without_pods", ProcStat.rssKib(daemon) / 1024);
            beside.put("daemon_growth_mib_per_pod", growth(node, daemon));
            return new Result(
                    "memory",
                    measured,
                    "MiB",
                    "pod: PSS of its VMM",
                    "bare machine: PSS of its VMM",
                    1.10,
                    1.02,
                    beside);
        }
    }

    /** From the first running pod to the fifth: the first brings what all share. */
    private static double growth(Node node, long daemon) throws Exception {
        int more = 4;
        var pods = new ArrayList<String>();
        pods.add(started(node));
        double first = ProcStat.rssKib(daemon);
        for (int i = 0; i < more; i++) {
            pods.add(started(node));
        }
        double last = ProcStat.rssKib(daemon);
        pods.forEach(node::remove);
        return (last - first) / 1024 / more;
    }

    private static String started(Node node) {
        var pod = node.run("echo ready; exec sleep 1000");
        node.awaitOutput(pod, "ready");
        return pod;
    }
}
