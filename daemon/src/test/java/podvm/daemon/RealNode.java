package podvm.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.BufferedInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import podvm.agent.GrpcAgents;
import podvm.engine.Agent;
import podvm.engine.ContainerId;
import podvm.engine.PodException;
import podvm.engine.Pods.ExecSpec;
import podvm.engine.Progress;
import podvm.engine.log.LogWriter;
import podvm.engine.pod.EngineSettings;
import podvm.engine.pod.PodHistory;
import podvm.engine.pod.Ports;
import podvm.engine.pod.SandboxTable;
import podvm.image.ImageOptions;
import podvm.image.ImageStore;
import podvm.journal.JournalFiles;
import podvm.journal.SandboxJournalFiles;
import podvm.linux.User;
import podvm.machine.NodeCgroups;
import podvm.machine.VmmUser;
import podvm.machine.qemu.Accelerator;
import podvm.machine.qemu.QemuMachines;
import podvm.machine.qemu.QemuOptions;
import podvm.machine.qemu.QemuPrerequisites;
import podvm.machine.qemu.TemplateRules;
import podvm.network.UserNetworks;
import podvm.volume.ScratchVolumes;
import podvm.volume.share.HostShares;

/** What a daemon has. Closing it leaves the machines running. */
final class RealNode implements AutoCloseable {
    static final String IMAGE = "localhost/busybox:sandboxes";

    final ImageStore images;
    final SandboxTable sandboxes;
    private final QemuMachines machines;
    private final GrpcAgents agents = new GrpcAgents();
    private final HostShares shares;

    RealNode(Path directory, Path guest) throws Exception {
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
                                User.isRoot() ? Optional.of(VmmUser.find(false)) : Optional.empty(),
                                TemplateRules.NONE,
                                2,
                                List.of()),
                        new NodeCgroups(Path.of("/sys/fs/cgroup"), System.out::println));
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
                        event -> System.out.println(event),
                        new PodHistory());
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

    /** What tests boot; they are skipped, and say so, where it is not there. */
    static Path guest() {
        var guest = System.getenv("PODVM_GUEST");
        if (guest == null || !Files.exists(rootfs())) {
            var reason = "skipped: PODVM_GUEST and PODVM_CACHE do not name a guest and a busybox";
            System.out.println(reason);
            abort(reason);
        }
        return Path.of(Objects.requireNonNull(guest));
    }

    private static Path rootfs() {
        var cache = System.getenv("PODVM_CACHE");
        return Path.of(cache == null ? "/nonexistent" : cache, "busybox", "rootfs.tar");
    }

    /** A busybox by the name {@link #IMAGE}. */
    void loadImage() throws Exception {
        try (var tar = new BufferedInputStream(Files.newInputStream(rootfs()))) {
            var _ = images.load(tar, Optional.of(IMAGE), Progress.NONE);
        }
    }

    /** A script's output, of both kinds. */
    String exec(ContainerId container, String script) throws Exception {
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
}
