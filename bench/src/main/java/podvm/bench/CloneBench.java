package podvm.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.Callable;
import podvm.proto.node.v1.BuildTemplateRequest;
import podvm.proto.node.v1.ListTemplatesRequest;

/**
 * A pod whose machine is a copy of a template, from the request at the daemon's socket to the first
 * line of its container's output at the client, against a pod whose machine boots. Beside it the
 * memory of each where several run, since copies share theirs.
 */
record CloneBench(Place place) {
    private static final int AT_ONCE = 5;
    private static final int SETTLE_MILLIS = 1500;
    private static final String SCRIPT = "echo ready; exec sleep 1000";

    /** What is promised of memory, PSS of a copy against that of a machine that booted. */
    private static final double MEMORY_PASS = 0.25;

    Result run(int pairs) throws Exception {
        List<Double> copyCpu = new ArrayList<>();
        List<Double> coldCpu = new ArrayList<>();
        try (var copies = Node.start(place, "--set", "machine.templates=1");
                var cold = Node.start(place, "--set", "machine.templates=0")) {
            var _ =
                    copies.calls()
                            .buildTemplate(
                                    BuildTemplateRequest.newBuilder().setNetwork("user").build());
            var measured = Pairs.measure(pairs, "ms", start(copies, copyCpu), start(cold, coldCpu));
            var ofCopies = memory(copies);
            checkCopied(copies, pairs + 1 + AT_ONCE);
            var ofCold = memory(cold);
            var beside = new LinkedHashMap<String, Double>();
            beside.put("cpu_ms_copy_vmm", Pairs.median(copyCpu));
            beside.put("cpu_ms_cold_vmm", Pairs.median(coldCpu));
            beside.put("pss_mib_copy_of_" + AT_ONCE, ofCopies);
            beside.put("pss_mib_cold_of_" + AT_ONCE, ofCold);
            beside.put("pss_ratio", ofCopies / ofCold);
            return new Result(
                    "clone",
                    measured,
                    "ms",
                    "copy of a template: request to first output",
                    "cold pod: request to first output",
                    0.15,
                    0.07,
                    beside,
                    ofCopies / ofCold <= MEMORY_PASS);
        }
    }

    private static Callable<Double> start(Node node, List<Double> cpu) {
        return () -> {
            long began = System.nanoTime();
            var pod = node.run(SCRIPT);
            node.awaitOutput(pod, "ready");
            double millis = (System.nanoTime() - began) / 1e6;
            cpu.add(ProcStat.cpuMillis(Node.vmm(pod)));
            node.remove(pod);
            return millis;
        };
    }

    /** Median of several that run beside each other, in MiB. */
    private static double memory(Node node) throws Exception {
        var pods = new ArrayList<String>();
        for (int i = 0; i < AT_ONCE; i++) {
            var pod = node.run(SCRIPT);
            node.awaitOutput(pod, "ready");
            pods.add(pod);
        }
        Thread.sleep(SETTLE_MILLIS);
        var sizes = new ArrayList<Double>();
        for (var pod : pods) {
            sizes.add(ProcStat.pssKib(Node.vmm(pod)) / 1024);
        }
        pods.forEach(node::remove);
        return Pairs.median(sizes);
    }

    /** Those that silently booted would make a slow copy look like no worse than that. */
    private static void checkCopied(Node node, int pods) {
        var template =
                node.calls()
                        .listTemplates(ListTemplatesRequest.getDefaultInstance())
                        .getTemplates(0);
        // the first copy was the template's trial
        if (template.getCopies() < pods + 1) {
            throw new IllegalStateException(
                    "%d pods were started, and the template has %d copies: %s"
                            .formatted(pods, template.getCopies(), template.getFailure()));
        }
    }
}
