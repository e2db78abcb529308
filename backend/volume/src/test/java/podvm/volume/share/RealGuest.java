package podvm.volume.share;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import podvm.agent.GrpcAgents;
import podvm.engine.Agent;
import podvm.engine.Agent.ContainerPlan;
import podvm.engine.Agent.ExecOutput;
import podvm.engine.Agent.ExecSession;
import podvm.engine.Agent.MountPlan;
import podvm.engine.Agent.ProcessPlan;
import podvm.engine.Agent.Processes;
import podvm.engine.Agent.ResourceLimits;
import podvm.engine.Agent.SandboxSetup;
import podvm.engine.Agent.SecurityPlan;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.GuestAddress;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.volume.ScratchVolumes;

/** A machine with busybox in it, reached as the daemon reaches it. */
final class RealGuest implements AutoCloseable {
    static final PodId POD = PodId.random();

    private final GrpcAgents agents = new GrpcAgents();
    private final Path directory;
    private final Process vmm;
    private Agent agent;

    private RealGuest(Path directory, Process vmm) throws Exception {
        this.directory = directory;
        this.vmm = vmm;
        agent = connect();
        agent.configure(
                new SandboxSetup("pod", "", "", "", List.of(), Map.of(), "scratch", 64 << 20),
                in(30));
    }

    /** The directory with vmlinux and initramfs.cpio, where one is given. */
    static Optional<Path> files() {
        return Optional.ofNullable(System.getenv("PODVM_GUEST")).map(Path::of);
    }

    static RealGuest boot(Path files, Path directory) throws Exception {
        var scratch = new ScratchVolumes(directory).scratch(POD, 4L << 30).disk().file();
        var socket = directory.resolve("a.sock");
        var console = directory.resolve("console.log");
        var command = new ArrayList<String>();
        // nothing here may outlive its test by more than a moment, whatever happens to the test
        command.addAll(List.of("timeout", "--signal=KILL", "460", "qemu-system-x86_64"));
        command.addAll(List.of("-M", "microvm,acpi=on", "-accel", "tcg,tb-size=64", "-cpu", "max"));
        command.addAll(List.of("-m", "512", "-smp", "1", "-nodefaults", "-no-user-config"));
        command.addAll(List.of("-display", "none", "-no-reboot"));
        command.addAll(List.of("-global", "virtio-mmio.force-legacy=false"));
        command.addAll(List.of("-kernel", files.resolve("vmlinux").toString()));
        command.addAll(List.of("-initrd", files.resolve("initramfs.cpio").toString()));
        command.addAll(
                List.of(
                        "-append",
                        "console=ttyS0 quiet reboot=t panic=-1 tsc_early_khz=" + kiloHertz()));
        command.addAll(List.of("-serial", "file:" + console));
        command.addAll(
                List.of(
                        "-device",
                        "virtio-serial-device",
                        "-device",
                        "virtio-scsi-device,id=scsi0"));
        command.addAll(List.of("-chardev", "socket,id=agent,server=on,wait=off,path=" + socket));
        command.addAll(List.of("-device", "virtserialport,chardev=agent,name=podvm.agent"));
        disk(command, 0, "layer", layer(directory), "on");
        disk(command, 1, "scratch", scratch, "off");
        var vmm =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("qemu.log").toFile())
                        .start();
        try {
            return new RealGuest(directory, vmm);
        } catch (PodException e) {
            kill(vmm);
            throw new AssertionError(Files.readString(console), e);
        }
    }

    /** The agent looks for disks at one target alone. */
    private static void disk(
            List<String> command, int unit, String name, Path file, String readOnly) {
        var driver = "driver=raw,node-name=%s,read-only=%s,file.driver=file,file.locking=off";
        command.add("-blockdev");
        command.add(driver.formatted(name, readOnly) + ",file.filename=" + file);
        command.add("-device");
        command.add(
                "scsi-hd,bus=scsi0.0,scsi-id=0,lun=%d,drive=%s,serial=%s"
                        .formatted(unit, name, name));
    }

    private static Path layer(Path directory) throws Exception {
        var tree = Files.createDirectories(directory.resolve("tree/bin"));
        Files.copy(
                Path.of("/bin/busybox"),
                tree.resolve("busybox"),
                StandardCopyOption.COPY_ATTRIBUTES);
        var list = new ProcessBuilder("/bin/busybox", "--list").start();
        for (var name :
                new String(list.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                        .split("\n")) {
            if (!name.equals("busybox")) {
                Files.createSymbolicLink(tree.resolve(name), Path.of("busybox"));
            }
        }
        var image = directory.resolve("layer.erofs");
        var made =
                new ProcessBuilder("mkfs.erofs", image.toString(), tree.getParent().toString())
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("mkfs.log").toFile())
                        .start();
        if (made.waitFor() != 0) {
            throw new IOException(Files.readString(directory.resolve("mkfs.log")));
        }
        return image;
    }

    private Agent connect() throws PodException, InterruptedException {
        return agents.connect(new GuestAddress.Serial(directory.resolve("a.sock")), in(90));
    }

    Agent agent() {
        return agent;
    }

    /** As after the death of the daemon. */
    void reconnect() throws Exception {
        agent.close();
        agent = connect();
    }

    /** A container with these mounts that waits to have programs executed in it. */
    ContainerId container(MountPlan... mounts) throws Exception {
        var container = ContainerId.random();
        agent.create(
                new ContainerPlan(
                        container,
                        List.of("layer"),
                        false,
                        process("sleep 1000"),
                        List.of(mounts),
                        new ResourceLimits(0, 0, 0, 0, 0, 0, Map.of()),
                        new SecurityPlan(
                                true,
                                List.of(),
                                List.of(),
                                false,
                                new Agent.SystemCalls.Usual(),
                                Optional.empty()),
                        new Processes.Own(),
                        false,
                        false,
                        Optional.empty()),
                in(30));
        agent.start(container, in(30));
        return container;
    }

    private static ProcessPlan process(String script) {
        return new ProcessPlan(
                List.of("/bin/sh", "-c", script),
                List.of(),
                "",
                "",
                Optional.empty(),
                List.of(),
                false,
                false,
                0,
                0,
                0,
                List.of());
    }

    /** A script's output, of both kinds. */
    String run(ContainerId container, String script) throws Exception {
        var said = new Said();
        try (var exec = agent.exec(container, process(script), false, said)) {
            exec.await();
        }
        return said.text();
    }

    ExecSession start(ContainerId container, String script, Said said) throws Exception {
        return agent.exec(container, process(script), true, said);
    }

    /** What a program has written so far. */
    static final class Said implements ExecOutput {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        @Override
        public void stdout(byte[] data) {
            bytes.writeBytes(data);
        }

        @Override
        public void stderr(byte[] data) {
            bytes.writeBytes(data);
        }

        String text() {
            return bytes.toString(StandardCharsets.UTF_8);
        }

        void await(String text) throws InterruptedException {
            var end = System.nanoTime() + 60_000_000_000L;
            while (!text().contains(text)) {
                if (System.nanoTime() > end) {
                    throw new AssertionError("no \"" + text + "\" in: " + text());
                }
                Thread.sleep(5);
            }
        }
    }

    static Deadline in(int seconds) {
        return Deadline.after(Duration.ofSeconds(seconds));
    }

    /** Spares the calibration of the clock, which hangs on a busy host. */
    private static long kiloHertz() throws IOException {
        return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                .filter(line -> line.startsWith("bogomips"))
                .map(line -> Double.parseDouble(line.substring(line.indexOf(':') + 1)))
                .map(bogomips -> Math.round(bogomips * 500))
                .findFirst()
                .orElse(2_000_000L);
    }

    private static void kill(Process vmm) {
        vmm.descendants().forEach(ProcessHandle::destroyForcibly);
        vmm.destroyForcibly();
    }

    @Override
    public void close() {
        agent.close();
        kill(vmm);
        agents.close();
    }
}
