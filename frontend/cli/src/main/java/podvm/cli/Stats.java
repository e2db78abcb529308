package podvm.cli;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import podvm.proto.node.v1.NetworkUse;
import podvm.proto.node.v1.PodStatsRequest;
import podvm.proto.node.v1.PodStatsResponse;
import podvm.proto.node.v1.PodUse;
import podvm.proto.node.v1.Use;

/** Shows what running pods use. */
final class Stats implements Command {
    /** A rate needs two measurements, half a second apart at least. */
    private static final long FIRST_PAUSE_MILLIS = 700;

    private static final long PAUSE_MILLIS = 2000;
    private static final double NANOS_PER_PERCENT = 1e7;
    private static final long MIB = 1 << 20;
    private static final String CLEAR = "\033[H\033[J";

    @Override
    public Syntax syntax() {
        return Syntax.of(
                "stats",
                "[POD...]",
                "show what running pods use",
                0,
                Integer.MAX_VALUE,
                Option.flag("-w, --watch", "again every two seconds, until Ctrl-C"),
                Option.flag("--containers", "a line for each container too"),
                Option.OUTPUT);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException, InterruptedException {
        boolean json = given.json();
        var request = PodStatsRequest.newBuilder().addAllPods(given.operands()).build();
        var pods = ask(request, session);
        if (pods.stream().anyMatch(pod -> pod.getUse().getCpuNanosPerSecond() < 0)) {
            Thread.sleep(FIRST_PAUSE_MILLIS);
            pods = ask(request, session);
        }
        show(pods, given, json, session.stdio());
        while (given.has("--watch")) {
            Thread.sleep(PAUSE_MILLIS);
            show(ask(request, session), given, json, session.stdio());
        }
        return 0;
    }

    private static List<PodUse> ask(PodStatsRequest request, Session session) throws Failure {
        return session.node().ask("PodStats", request, PodStatsResponse.parser()).getPodsList();
    }

    /** Watched JSON is one line for each pod and measurement. */
    private static void show(List<PodUse> pods, Given given, boolean json, Stdio stdio)
            throws IOException {
        if (json && given.has("--watch")) {
            for (var pod : pods) {
                stdio.print(Json.line("stats", pod));
            }
        } else if (json) {
            stdio.print(Json.of(pods));
        } else {
            if (given.has("--watch") && stdio.outIsTerminal()) {
                stdio.out().write(CLEAR.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            }
            table(pods, given.has("--containers")).print(stdio);
        }
        stdio.flush();
    }

    private static Table table(List<PodUse> pods, boolean containers) {
        var table =
                new Table(
                        "POD",
                        "CPU",
                        "MEMORY",
                        "LIMIT",
                        "MACHINE CPU",
                        "MACHINE MEMORY",
                        "NET IN / OUT",
                        "DISK READ / WRITTEN",
                        "PIDS");
        for (var pod : pods) {
            var name = pod.getNamespace() + "/" + pod.getName();
            var use = pod.getUse();
            var machine = pod.getMachine();
            table.add(
                    name,
                    percent(use.getCpuNanosPerSecond()),
                    Amounts.bytes(use.getMemoryBytes()),
                    Amounts.bytes(machine.getMemoryMib() * MIB),
                    percent(machine.getCpuNanosPerSecond()),
                    machine.getMemoryBytes() < 0 ? "-" : Amounts.bytes(machine.getMemoryBytes()),
                    network(pod.getNetworkList()),
                    disk(use),
                    Long.toString(use.getThreads()));
            if (containers) {
                for (var one : pod.getContainersList()) {
                    table.add(
                            name + "/" + one.getName(),
                            percent(one.getUse().getCpuNanosPerSecond()),
                            Amounts.bytes(one.getUse().getMemoryBytes()),
                            limit(one.getUse()),
                            "",
                            "",
                            "",
                            disk(one.getUse()),
                            Long.toString(one.getUse().getThreads()));
                }
            }
        }
        return table;
    }

    /** Of one CPU. */
    private static String percent(long nanosPerSecond) {
        return nanosPerSecond < 0
                ? "-"
                : String.format(Locale.ROOT, "%.1f %%", nanosPerSecond / NANOS_PER_PERCENT);
    }

    private static String limit(Use use) {
        return use.getMemoryLimitBytes() == 0 ? "-" : Amounts.bytes(use.getMemoryLimitBytes());
    }

    private static String disk(Use use) {
        return Amounts.bytes(use.getDiskReadBytes())
                + " / "
                + Amounts.bytes(use.getDiskWrittenBytes());
    }

    private static String network(List<NetworkUse> interfaces) {
        return Amounts.bytes(interfaces.stream().mapToLong(NetworkUse::getReceivedBytes).sum())
                + " / "
                + Amounts.bytes(interfaces.stream().mapToLong(NetworkUse::getSentBytes).sum());
    }
}
