package podvm.bench;

import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import podvm.cri.CriServer;
import podvm.cri.NodeInfo;
import podvm.cri.streaming.StreamServer;
import podvm.cri.streaming.StreamTls;
import podvm.engine.fake.FakeImages;
import podvm.engine.fake.FakeNode;
import podvm.engine.fake.FakeProcess;
import podvm.engine.log.LogWriter;
import podvm.engine.pod.EngineSettings;
import podvm.engine.pod.SandboxTable;
import podvm.network.cni.CniNetworks;
import podvm.network.cni.CniOptions;

/**
 * podvmd's door for the kubelet with the engine behind it, on machines that are maps in memory: two
 * hundred emulated ones would measure the emulation. Arguments: socket, scratch directory, image,
 * CNI configuration, CNI plugins.
 */
public final class MachinelessNode {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private MachinelessNode() {}

    public static void main(String[] args) throws Exception {
        var scratch = Path.of(args[1]);
        var node = new FakeNode(scratch);
        node.images.put(args[2], FakeImages.config(List.of(), List.of("true")));
        node.programs.put("/bin/sleep", FakeProcess::untilSignalled);
        var networks =
                new CniNetworks(
                        new CniOptions(
                                Path.of(args[3]),
                                List.of(Path.of(args[4])),
                                scratch.resolve("networks"),
                                Path.of("/etc/resolv.conf"),
                                PATIENCE,
                                CniOptions.Order.BESIDE_BOOT));
        CriServer.start(
                Path.of(args[0]),
                Optional.empty(),
                SandboxTable.open(node.ports(), settings()),
                node.images,
                StreamServer.start(
                        InetAddress.getLoopbackAddress(), 0, new StreamTls.Plain(), _ -> {}),
                new NodeInfo("bench", scratch, networks::readiness, () -> "{}"),
                System.out::println);
        Thread.currentThread().join();
    }

    /** As podvmd has them by default. */
    private static EngineSettings settings() {
        return new EngineSettings(
                "bench",
                1000,
                1024,
                128,
                10L << 30,
                PATIENCE,
                Duration.ofSeconds(10),
                Duration.ofMinutes(5),
                new LogWriter.Limits(10 << 20, 5),
                100);
    }
}
