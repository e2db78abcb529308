package podvm.cli;

import java.nio.file.Path;
import java.util.List;
import podvm.engine.Finding;
import podvm.engine.PodException;
import podvm.node.FakePods;
import podvm.node.NodeServer;
import podvm.node.NodeService;
import podvm.proto.node.v1.VersionResponse;

/** A daemon without machines: in this process, or as one of its own. */
final class FakeNode {
    private FakeNode() {}

    static NodeServer start(Path run, FakePods pods) throws PodException {
        return NodeServer.start(
                run.resolve("node.sock"),
                new NodeService(
                        pods,
                        () ->
                                VersionResponse.newBuilder()
                                        .setVersion("0.0-fake")
                                        .setPid(ProcessHandle.current().pid())
                                        .setStartedUnixNs(System.currentTimeMillis() * 1_000_000)
                                        .build(),
                        () ->
                                List.of(
                                        new Finding("kvm", Finding.State.OK, "6.12", "works", ""),
                                        new Finding(
                                                "qemu",
                                                Finding.State.MISSING,
                                                "",
                                                "not found",
                                                "install it"))));
    }

    /** Serves in PODVM_RUN until it is ended, five minutes at most. */
    public static void main(String[] arguments) throws Exception {
        System.out.println("fake podvmd " + String.join(" ", arguments));
        if (System.getenv().containsKey("FAKE_FAILURE")) {
            System.out.println("cannot start: " + System.getenv("FAKE_FAILURE"));
            System.exit(3);
        }
        try (var _ = start(Path.of(System.getenv("PODVM_RUN")), new FakePods())) {
            Thread.sleep(300_000);
        }
    }
}
