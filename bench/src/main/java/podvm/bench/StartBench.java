package podvm.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * A cold pod, from the request at the daemon's socket to the first line of its container's output
 * at the client, against the bare boot of the same VMM, kernel and kernel command line, from its
 * execution to its first line.
 */
record StartBench(Place place) {
    Result run(int pairs) throws Exception {
        List<Double> podCpu = new ArrayList<>();
        List<Double> daemonCpu = new ArrayList<>();
        List<Double> bareCpu = new ArrayList<>();
        try (var scratch = Scratch.in(Node.PARENT);
                var node = Node.start(place)) {
            var bare = place.bareOptions(scratch.path());
            long daemon = node.daemonPid();
            var measured =
                    Pairs.measure(
                            pairs,
                            "ms",
                            () -> {
                                double before = ProcStat.cpuMillis(daemon);
                                long began = System.nanoTime();
                                var pod = node.run("echo ready; exec sleep 1000");
                                node.awaitOutput(pod, "ready");
                                double millis = (System.nanoTime() - began) / 1e6;
                                podCpu.add(ProcStat.cpuMillis(Node.vmm(pod)));
                                daemonCpu.add(ProcStat.cpuMillis(daemon) - before);
                                node.remove(pod);
                                return millis;
                            },
                            () -> {
                                var machine = Bare.boot(bare);
                                bareCpu.add(machine.cpuMillisToLine());
                                machine.end();
                                return machine.millisToLine();
                            });
            var beside = new LinkedHashMap<String, Double>();
            beside.put("cpu_ms_pod_vmm", Pairs.median(podCpu));
            beside.put("cpu_ms_daemon", Pairs.median(daemonCpu));
            beside.put("cpu_ms_bare_vmm", Pairs.median(bareCpu));
            return new Result(
                    "start",
                    measured,
                    "ms",
                    "cold pod: request to first output",
                    "bare boot: exec to first line",
                    1.25,
                    1.10,
                    beside);
        }
    }
}
