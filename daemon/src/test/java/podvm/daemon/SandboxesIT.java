package podvm.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.BufferedInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.agent.GrpcAgents;
import podvm.engine.Agent;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.PidNamespace;
import podvm.engine.ContainerConfig.Resources;
import podvm.engine.ContainerConfig.Security;
import podvm.engine.ContainerId;
import podvm.engine.NetworkRequest;
import podvm.engine.PodException;
import podvm.engine.Pods.ExecSpec;
import podvm.engine.Progress;
import podvm.engine.SandboxSpec;
import podvm.engine.SandboxStatus;
import podvm.engine.Sandboxes;
import podvm.engine.log.LogWriter;
import podvm.engine.pod.EngineSettings;
import podvm.engine.pod.Ports;
import podvm.engine.pod.SandboxTable;
import podvm.image.ImageOptions;
import podvm.image.ImageStore;
import podvm.journal.JournalFiles;
import podvm.journal.SandboxJournalFiles;
import podvm.linux.User;
import podvm.machine.VmmUser;
import podvm.machine.qemu.Accelerator;
import podvm.machine.qemu.QemuMachines;
import podvm.machine.qemu.QemuOptions;
import podvm.machine.qemu.QemuPrerequisites;
import podvm.network.UserNetworks;
import podvm.volume.ScratchVolumes;
import podvm.volume.share.HostShares;

/** Pod sandboxes with real machines, as a kubelet has them. */
@Timeout(300)
class SandboxesIT {
    private static final String IMAGE = "localhost/busybox:sandboxes";

    /** Short, since sockets below it have long names. */
    @TempDir Path directory;

    @Test
    void twoContainersOfASandboxRunInOneMachine() throws Exception {
        var guest = System.getenv("PODVM_GUEST");
        var cache = System.getenv("PODVM_CACHE");
        var rootfs = cache == null ? null : Path.of(cache, "busybox", "rootfs.tar");
        if (guest == null || rootfs == null || !Files.exists(rootfs)) {
            var reason =
                    "SandboxesIT skipped: PODVM_GUEST and PODVM_CACHE do not name a guest and a"
                            + " busybox";
            System.out.println(reason);
            abort(reason);
            return;
        }
        var log = directory.resolve("logs/server/0.log");
        try (var node = new Node(directory, Path.of(guest))) {
            try (var tar = new BufferedInputStream(Files.newInputStream(rootfs))) {
                node.images.load(tar, Optional.of(IMAGE), Progress.NONE);
            }
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
            assertThat(exec(node.sandboxes, helper, "ps -o args | grep -c '[t]rap'"))
                    .isEqualTo("1\n");
            assertThat(exec(node.sandboxes, helper, "tr '\\0' ' ' </proc/1/cmdline"))
                    .isEqualTo("podvm-pod ");
            assertThat(exec(node.sandboxes, helper, "grep -E '^Cap(Eff|Amb)' /proc/self/status"))
                    .isEqualTo("CapEff:\t0000000000000400\nCapAmb:\t0000000000000400\n");
            assertThat(exec(node.sandboxes, helper, "id -u")).isEqualTo("1000\n");
            // the usual paths are masked in the one, none in the other
            var interrupts = "grep -c CPU0 /proc/interrupts; hostname";
            assertThat(exec(node.sandboxes, server, interrupts)).isEqualTo("0\nweb-0\n");
            assertThat(exec(node.sandboxes, helper, interrupts)).isEqualTo("1\nweb-0\n");
            assertThat(exec(node.sandboxes, helper, "cat /etc/resolv.conf"))
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
                SandboxSpec.Limits.NONE);
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
                IMAGE,
                IMAGE,
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

    private static String exec(Sandboxes sandboxes, ContainerId container, String script)
            throws Exception {
        var text = new StringBuffer();
        var output =
                new Agent.ExecOutput() {
                    @Override
                    public void stdout(byte[] data) {
                        text.append(new String(data, UTF_8));
                    }

                    @Override
                    public void stderr(byte[] data) {
                        text.append(new String(data, UTF_8));
                    }
                };
        var spec =
                new ExecSpec(
                        List.of("/bin/sh", "-c", script), List.of(), "", "", false, false, 0, 0);
        try (var session = sandboxes.exec(container, spec, output)) {
            var _ = session.await();
        }
        return text.toString();
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(Condition condition) throws Exception {
        while (!condition.holds()) {
            Thread.sleep(50);
        }
    }

    /** What a daemon has. Closing it leaves the machines running. */
    private static final class Node implements AutoCloseable {
        final ImageStore images;
        final SandboxTable sandboxes;
        private final QemuMachines machines;
        private final GrpcAgents agents = new GrpcAgents();
        private final HostShares shares;

        Node(Path directory, Path guest) throws Exception {
            var state = Directories.own(directory.resolve("state"));
            shares = new HostShares(state);
            var records = Directories.own(state.resolve("pods"));
            images = ImageStore.open(state.resolve("images"), ImageOptions.DEFAULT);
            machines =
                    new QemuMachines(
                            new QemuOptions(
                                    QemuPrerequisites.findBinary().orElseThrow(),
                                    guest.resolve("vmlinux"),
                                    guest.resolve("initramfs.cpio"),
                                    Accelerator.TCG,
                                    Directories.own(directory.resolve("run")),
                                    User.isRoot()
                                            ? Optional.of(VmmUser.find(false))
                                            : Optional.empty(),
                                    List.of()));
            var ports =
                    new Ports(
                            images,
                            machines,
                            agents,
                            new UserNetworks(Path.of("/etc/resolv.conf")),
                            new ScratchVolumes(state),
                            shares,
                            new JournalFiles(records, event -> System.out.println(event)),
                            new SandboxJournalFiles(records, event -> System.out.println(event)),
                            event -> System.out.println(event));
            sandboxes =
                    SandboxTable.open(
                            ports,
                            new EngineSettings(
                                    "node",
                                    1000,
                                    128,
                                    128,
                                    1L << 30,
                                    Duration.ofMinutes(2),
                                    Duration.ofSeconds(1),
                                    Duration.ofSeconds(1),
                                    new LogWriter.Limits(1 << 20, 2),
                                    10));
        }

        @Override
        public void close() throws PodException {
            sandboxes.close();
            shares.close();
            agents.close();
            machines.close();
            images.close();
        }
    }
}
