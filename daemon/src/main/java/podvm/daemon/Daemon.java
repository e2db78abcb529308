package podvm.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import podvm.agent.GrpcAgents;
import podvm.cri.CriServer;
import podvm.cri.NodeInfo;
import podvm.cri.streaming.StreamServer;
import podvm.engine.Finding;
import podvm.engine.Networks;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.Rollback;
import podvm.engine.log.LogWriter;
import podvm.engine.pod.EngineSettings;
import podvm.engine.pod.NodePods;
import podvm.engine.pod.NodeTemplates;
import podvm.engine.pod.PodHistory;
import podvm.engine.pod.PodTable;
import podvm.engine.pod.Ports;
import podvm.engine.pod.SandboxTable;
import podvm.engine.pod.TemplatedMachines;
import podvm.image.ImageOptions;
import podvm.image.ImageStore;
import podvm.image.layer.LayerLimits;
import podvm.image.registry.RegistryOptions;
import podvm.image.trust.SignaturePolicy;
import podvm.journal.JournalFiles;
import podvm.journal.SandboxJournalFiles;
import podvm.linux.User;
import podvm.machine.NodeCgroups;
import podvm.machine.VmmUser;
import podvm.machine.qemu.Accelerator;
import podvm.machine.qemu.AcceleratorProbe;
import podvm.machine.qemu.AcceleratorProbe.Verdict;
import podvm.machine.qemu.QemuMachines;
import podvm.machine.qemu.QemuOptions;
import podvm.machine.qemu.QemuPrerequisites;
import podvm.network.ChosenNetworks;
import podvm.network.UserNetworks;
import podvm.network.cni.CniNetworks;
import podvm.network.cni.CniOptions;
import podvm.network.cni.CniOptions.Order;
import podvm.node.NodeServer;
import podvm.node.NodeService;
import podvm.proto.node.v1.VersionResponse;
import podvm.volume.ScratchVolumes;
import podvm.volume.share.HostShares;

/** The whole of podvmd, wired by hand from bottom to top. Closing it leaves the pods running. */
final class Daemon implements AutoCloseable {
    private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
    private static final Path RESOLV_CONF = Path.of("/etc/resolv.conf");
    private static final Duration IDLE_CHECK = Duration.ofSeconds(1);
    private static final int MIB = 1 << 20;

    /**
     * Three layers of this size, written at a time, fit into the heap that the launcher allows; the
     * largest layers seen in public images have some 300,000 entries.
     */
    private static final LayerLimits LAYER_LIMITS = new LayerLimits(400_000, 24L << 20, 64L << 30);

    private final Config config;
    private final NodePods pods;
    private final SandboxTable sandboxes;
    private final NodeServer server;
    private final Rollback owned;

    private Daemon(
            Config config,
            NodePods pods,
            SandboxTable sandboxes,
            NodeServer server,
            Rollback owned) {
        this.config = config;
        this.pods = pods;
        this.sandboxes = sandboxes;
        this.server = server;
        this.owned = owned;
    }

    static Daemon start(Config config, EventLog events) throws PodException, InterruptedException {
        var state = Directories.own(config.state());
        var run = Directories.own(config.run());
        try (var undo = new Rollback()) {
            undo.add(StateLock.take(state));
            var policy =
                    config.imagePolicy().isPresent()
                            ? SignaturePolicy.read(config.imagePolicy().get())
                            : SignaturePolicy.ACCEPT_ANYTHING;
            var images =
                    undo.add(
                            ImageStore.open(
                                    state.resolve("images"), imageOptions(config), policy, events));
            var records = Directories.own(state.resolve("pods"));
            var journals = new JournalFiles(records, events);
            var binary =
                    config.qemu()
                            .or(QemuPrerequisites::findBinary)
                            .orElse(Path.of("/usr/bin/qemu-system-x86_64"));
            var user = User.isRoot() ? Optional.of(VmmUser.find(true)) : Optional.<VmmUser>empty();
            var probe =
                    new AcceleratorProbe(
                            binary,
                            kernel(config),
                            config.guest().resolve("bare.cpio"),
                            config.cache(),
                            user);
            var verdict = verdict(config, probe);
            var qemu =
                    undo.add(
                            new QemuMachines(
                                    qemuOptions(config, binary, verdict.accelerator()),
                                    new NodeCgroups(
                                            CGROUPS, text -> events.warning("cgroup", text))));
            var agents = undo.add(new GrpcAgents());
            var machines = undo.add(new TemplatedMachines(qemu, agents, config.boot(), events));
            var cni = new CniNetworks(cniOptions(config, state));
            var networks =
                    new ChosenNetworks(new UserNetworks(RESOLV_CONF), cni, config.clusterNetwork());
            var ports =
                    new Ports(
                            images,
                            machines,
                            agents,
                            networks,
                            new ScratchVolumes(state),
                            undo.add(new HostShares(state)),
                            journals,
                            new SandboxJournalFiles(records, events),
                            events,
                            new PodHistory());
            var sandboxes = undo.add(SandboxTable.open(ports, settings(config)));
            var pods = undo.add(NodePods.of(PodTable.open(ports, settings(config)), sandboxes));
            collectGarbage(config, cni, events);
            var facts = new NodeFacts(state, verdict);
            var service =
                    new NodeService(
                            pods,
                            new NodeTemplates(machines, settings(config)),
                            facts::version,
                            () -> findings(config, probe, images, cni));
            var server = undo.add(NodeServer.start(run.resolve("node.sock"), service));
            if (config.cri().isPresent()) {
                serveCri(
                        config,
                        config.cri().get(),
                        sandboxes,
                        images,
                        networks,
                        facts,
                        events,
                        undo);
            }
            return new Daemon(config, pods, sandboxes, server, undo.keep());
        }
    }

    private static void serveCri(
            Config config,
            Config.Cri cri,
            SandboxTable sandboxes,
            ImageStore images,
            Networks networks,
            NodeFacts facts,
            EventLog events,
            Rollback undo)
            throws PodException {
        var streams =
                undo.add(
                        StreamServer.start(
                                cri.streamingAddress(),
                                cri.streamingPort(),
                                cri.streamingTls(),
                                text -> events.warning("cri.streaming", text)));
        var node =
                new NodeInfo(
                        Version.TEXT,
                        config.state().resolve("images"),
                        networks::readiness,
                        facts::json);
        undo.add(
                CriServer.start(
                        cri.socket(),
                        cri.group(),
                        sandboxes,
                        images,
                        streams,
                        node,
                        text -> events.warning("cri.field", text)));
    }

    private static Path kernel(Config config) {
        return config.guest().resolve("vmlinux");
    }

    private static CniOptions cniOptions(Config config, Path state) {
        return new CniOptions(
                config.cniConfiguration(),
                config.cniPlugins(),
                state.resolve("networks"),
                RESOLV_CONF,
                config.cniPatience(),
                config.cniOrder().equals("before-boot") ? Order.BEFORE_BOOT : Order.BESIDE_BOOT);
    }

    /** What plugins hold for nobody does not keep the daemon from starting. */
    private static void collectGarbage(Config config, CniNetworks cni, EventLog events)
            throws InterruptedException {
        if (config.cniGarbage().equals("keep") || !User.isRoot()) {
            return;
        }
        try {
            cni.collectGarbage();
        } catch (PodException e) {
            events.warning("CniGarbage", e.describe());
        }
    }

    private static ImageOptions imageOptions(Config config) {
        var registries =
                new RegistryOptions(
                        config.hostsDirectories(),
                        config.dockerConfig(),
                        System.getenv(),
                        RegistryOptions.Patience.DEFAULT);
        return new ImageOptions(
                config.parallelDownloads(), LAYER_LIMITS, ImageOptions.hostPlatform(), registries);
    }

    private static QemuOptions qemuOptions(Config config, Path binary, Accelerator accelerator)
            throws PodException {
        var user =
                User.isRoot()
                        ? Optional.of(VmmUser.find(accelerator == Accelerator.KVM))
                        : Optional.<VmmUser>empty();
        return new QemuOptions(
                binary,
                kernel(config),
                config.guest().resolve("initramfs.cpio"),
                accelerator,
                config.run(),
                user,
                config.templates(),
                config.growth(),
                List.of());
    }

    /**
     * A daemon without a guest still answers, and says at the first pod, and to podvm doctor, what
     * is missing.
     */
    private static Verdict verdict(Config config, AcceleratorProbe probe)
            throws PodException, InterruptedException {
        return switch (config.accelerator()) {
            case "kvm" -> new Verdict(Accelerator.KVM, "configured");
            case "tcg" -> new Verdict(Accelerator.TCG, "configured");
            default ->
                    Files.isReadable(kernel(config)) && Files.isExecutable(probe.binary())
                            ? probe.verdict()
                            : new Verdict(
                                    Accelerator.TCG, "not probed: QEMU or the guest is missing");
        };
    }

    private static EngineSettings settings(Config config) throws PodException {
        return new EngineSettings(
                hostName(),
                config.defaultCpuMillis(),
                config.defaultMemoryMib(),
                config.overheadMib(),
                (long) config.scratchMib() * MIB,
                config.boot(),
                config.firstBackoff(),
                config.lastBackoff(),
                new LogWriter.Limits((long) config.logFileMib() * MIB, config.logFiles()),
                config.endedPodsKept());
    }

    private static String hostName() throws PodException {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        } catch (IOException e) {
            throw new PodException(
                    Kind.UNAVAILABLE,
                    "cannot read the host's name: " + e.getMessage(),
                    "is /proc mounted?",
                    e);
        }
    }

    private static List<Finding> findings(
            Config config, AcceleratorProbe probe, ImageStore images, CniNetworks cni) {
        try {
            var findings =
                    new ArrayList<>(
                            QemuPrerequisites.check(
                                    kernel(config),
                                    config.guest().resolve("initramfs.cpio"),
                                    probe));
            findings.add(ImageFinding.of(images, config.imagePolicy()));
            if (User.isRoot()) {
                findings.addAll(cni.findings());
            }
            return findings;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return List.of();
        }
    }

    /**
     * Returns when nobody has needed the daemon for as long as was configured; never where that is
     * zero.
     */
    void awaitIdle() throws InterruptedException {
        while (true) {
            Thread.sleep(IDLE_CHECK);
            boolean unused = server.activity().idle().compareTo(config.idleExit()) > 0;
            if (!config.idleExit().isZero() && unused && !pods.busy() && !sandboxes.busy()) {
                return;
            }
        }
    }

    @Override
    public void close() throws PodException {
        owned.close();
    }

    /** What the daemon says of itself. */
    private record NodeFacts(Path state, Verdict verdict, Instant started) {
        NodeFacts(Path state, Verdict verdict) {
            this(state, verdict, Instant.now());
        }

        VersionResponse version() {
            return VersionResponse.newBuilder()
                    .setVersion(Version.TEXT)
                    .setPid(ProcessHandle.current().pid())
                    .setStartedUnixNs(started.getEpochSecond() * 1_000_000_000 + started.getNano())
                    .setStateDirectory(state.toString())
                    .setAccelerator(
                            verdict.accelerator().name().toLowerCase(Locale.ROOT)
                                    + ": "
                                    + verdict.reason())
                    .setJavaVersion(Runtime.version().toString())
                    .setRssBytes(rss())
                    .build();
        }

        /** For people who ask the kubelet's door for more. */
        String json() {
            return "{\"version\":\"%s\",\"pid\":%d,\"accelerator\":\"%s\",\"java\":\"%s\"}"
                    .formatted(
                            Version.TEXT,
                            ProcessHandle.current().pid(),
                            verdict.accelerator().name().toLowerCase(Locale.ROOT),
                            Runtime.version());
        }

        private static long rss() {
            try {
                for (var line : Files.readAllLines(Path.of("/proc/self/status"))) {
                    if (line.startsWith("VmRSS:")) {
                        return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                    }
                }
                return 0;
            } catch (IOException e) {
                return 0;
            }
        }
    }
}
