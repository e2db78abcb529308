package podvm.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.PidNamespace;
import podvm.engine.ContainerConfig.Resources;
import podvm.engine.ContainerConfig.Security;
import podvm.engine.NetworkRequest;
import podvm.engine.SandboxSpec;
import podvm.engine.SandboxStatus;

/** Pod sandboxes with real machines, as a kubelet has them. */
@Timeout(300)
class SandboxesIT {
    /** Short, since sockets below it have long names. */
    @TempDir Path directory;

    @Test
    void twoContainersOfASandboxRunInOneMachine() throws Exception {
        var guest = RealNode.guest();
        var log = directory.resolve("logs/server/0.log");
        try (var node = new RealNode(directory, guest)) {
            node.loadImage();
            var id = node.sandboxes.run(spec());
            assertThat(node.sandboxes.status(id).state()).isEqualTo(SandboxStatus.State.READY);
            var server =
                    node.sandboxes.createContainer(
                            id,
                            container(
                                    "server",
                                    "echo started; trap 'echo bye; exit 7' TERM;"
                                            + " while :; do sleep 1; done",
                                    Optional.of(log),
                                    Security.USUAL,
                                    new PidNamespace.Pod()));
            node.sandboxes.startContainer(server);
            await(() -> Files.exists(log) && Files.readString(log).contains("started"));
            var helper =
                    node.sandboxes.createContainer(
                            id,
                            container(
                                    "helper",
                                    "sleep 1000",
                                    Optional.empty(),
                                    ambient(),
                                    new PidNamespace.Pod()));
            node.sandboxes.startContainer(helper);
            // two containers, one list of processes, in which neither is the first
            assertThat(node.exec(helper, "ps -o args | grep -c '[t]rap'")).isEqualTo("1\n");
            assertThat(node.exec(helper, "tr '\\0' ' ' </proc/1/cmdline")).isEqualTo("podvm-pod ");
            assertThat(node.exec(helper, "grep -E '^Cap(Eff|Amb)' /proc/self/status"))
                    .isEqualTo("CapEff:\t0000000000000400\nCapAmb:\t0000000000000400\n");
            assertThat(node.exec(helper, "id -u")).isEqualTo("1000\n");
            // the usual paths are masked in the one, none in the other
            var interrupts = "grep -c CPU0 /proc/interrupts; hostname";
            assertThat(node.exec(server, interrupts)).isEqualTo("0\nweb-0\n");
            assertThat(node.exec(helper, interrupts)).isEqualTo("1\nweb-0\n");
            assertThat(node.exec(helper, "cat /etc/resolv.conf"))
                    .isEqualTo("search a.b\nnameserver 10.0.0.10\noptions ndots:5\n");
            node.sandboxes.remove(id);
            assertThat(node.sandboxes.list()).isEmpty();
            assertThat(node.sandboxes.containers()).isEmpty();
        }
    }

    private static SandboxSpec spec() {
        return new SandboxSpec(
                new SandboxSpec.Metadata("web", "uid-1", "default", 0),
                "",
                "web-0",
                Optional.empty(),
                new NetworkRequest.Dns(List.of("10.0.0.10"), List.of("a.b"), List.of("ndots:5")),
                List.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                SandboxSpec.Limits.NONE,
                Optional.empty(),
                Optional.empty());
    }

    /** Another user who may bind low ports. */
    private static Security ambient() {
        return new Security(
                false,
                new ContainerConfig.User(Optional.of(1000), Optional.empty(), ""),
                List.of(),
                ContainerConfig.GroupsPolicy.MERGE,
                Set.of(),
                Set.of("ALL"),
                Set.of("NET_BIND_SERVICE"),
                false,
                true,
                List.of(),
                List.of(),
                new ContainerConfig.Seccomp.RuntimeDefault(),
                "",
                "");
    }

    private static ContainerConfig container(
            String name, String script, Optional<Path> log, Security security, PidNamespace pids) {
        return new ContainerConfig(
                new ContainerConfig.Metadata(name, 0),
                RealNode.IMAGE,
                RealNode.IMAGE,
                List.of("/bin/sh", "-c", script),
                List.of(),
                "",
                List.of(),
                List.of(),
                List.of(),
                Map.of(),
                Map.of(),
                log,
                false,
                false,
                false,
                Resources.NONE,
                security,
                pids,
                "");
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(Condition condition) throws Exception {
        while (!condition.holds()) {
            Thread.sleep(50);
        }
    }
}
