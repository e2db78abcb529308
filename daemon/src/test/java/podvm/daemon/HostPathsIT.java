package podvm.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.Device;
import podvm.engine.ContainerConfig.Mount;
import podvm.engine.ContainerConfig.Mount.Propagation;
import podvm.engine.ContainerConfig.MountSource;
import podvm.engine.ContainerConfig.PidNamespace;
import podvm.engine.ContainerConfig.Resources;
import podvm.engine.ContainerConfig.Security;
import podvm.engine.ContainerId;
import podvm.engine.NetworkRequest;
import podvm.engine.SandboxContainer.State;
import podvm.engine.SandboxId;
import podvm.engine.SandboxSpec;
import podvm.linux.User;

/** Paths of the host in containers of a real machine, as a kubelet hands them over. */
@Timeout(400)
class HostPathsIT {
    @TempDir Path directory;
    private Path host;

    @AfterEach
    void unmount() throws Exception {
        if (host != null && User.isRoot()) {
            for (var place : List.of("top/sub", "live/sub", "private/sub")) {
                run("umount", "-l", host.resolve(place).toString());
            }
        }
    }

    private static int run(String... command) throws Exception {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    private Path made(String name) throws Exception {
        return Files.createDirectories(host.resolve(name));
    }

    /** As the kubelet replaces the files of a config map. */
    private static void swap(Path volume, String dated, String text) throws Exception {
        Files.writeString(Files.createDirectories(volume.resolve(dated)).resolve("key"), text);
        var fresh = Files.createSymbolicLink(volume.resolve("..data_tmp"), Path.of(dated));
        Files.move(fresh, volume.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
        var key = volume.resolve("key");
        if (!Files.exists(key)) {
            Files.createSymbolicLink(key, Path.of("..data/key"));
        }
    }

    private Mount mount(String path, String place, boolean readOnly) {
        return mount(path, place, readOnly, false, Propagation.PRIVATE);
    }

    private Mount mount(
            String path,
            String place,
            boolean readOnly,
            boolean recursive,
            Propagation propagation) {
        return new Mount(
                place,
                new MountSource.HostPath(host.resolve(path)),
                "",
                readOnly,
                recursive,
                propagation,
                false);
    }

    @Test
    void whatTheHostHasTheContainerHasAlsoAfterTheDaemonsEnd() throws Exception {
        var guest = RealNode.guest();
        host = Files.createDirectories(directory.toRealPath().resolve("host"));
        swap(made("config"), "..1", "one");
        Files.writeString(host.resolve("hosts"), "10.1.2.3 from-the-host\n");
        Files.writeString(host.resolve("termination"), "");
        Files.createSymbolicLink(host.resolve("link"), made("data"));
        for (var place : List.of("top/sub", "live/sub", "private/sub")) {
            made(place);
        }
        boolean mounts = tmpfs("top/sub");
        SandboxId id;
        ContainerId one;
        try (var node = new RealNode(directory, guest)) {
            node.loadImage();
            id = node.sandboxes.run(spec());
            one =
                    node.sandboxes.createContainer(
                            id,
                            container(
                                    "one",
                                    mount("config", "/etc/config", true),
                                    mount("hosts", "/etc/hosts", false),
                                    mount("termination", "/dev/termination-log", false),
                                    mount("link", "/data", false),
                                    mount("made/by/us", "/made", false),
                                    mount("top", "/top", true),
                                    mount("top", "/all", true, true, Propagation.PRIVATE),
                                    mount(
                                            "live",
                                            "/live",
                                            false,
                                            false,
                                            Propagation.HOST_TO_CONTAINER),
                                    mount("private", "/private", false)));
            node.sandboxes.startContainer(one);

            assertThat(node.exec(one, "cat /etc/config/key")).isEqualTo("one");
            swap(host.resolve("config"), "..2", "two");
            assertThat(node.exec(one, "cat /etc/config/key")).isEqualTo("two");
            assertThat(node.exec(one, "touch /etc/config/x")).contains("Read-only file system");
            assertThat(node.exec(one, "cat /etc/hosts")).isEqualTo("10.1.2.3 from-the-host\n");
            node.exec(one, "echo why > /dev/termination-log; echo x > /data/made; mkdir /made/d");
            assertThat(host.resolve("termination")).hasContent("why\n");
            assertThat(host.resolve("data/made")).hasContent("x\n");
            assertThat(host.resolve("made/by/us/d")).isDirectory();

            assertThat(node.exec(one, "touch /top/x")).contains("Read-only file system");
            if (mounts) {
                assertThat(node.exec(one, "touch /top/sub/x && ls /top/sub")).isEqualTo("x\n");
                assertThat(node.exec(one, "touch /all/sub/y")).contains("Read-only file system");
                tmpfs("live/sub");
                tmpfs("private/sub");
                Files.writeString(host.resolve("live/sub/later"), "");
                Files.writeString(host.resolve("private/sub/later"), "");
                assertThat(node.exec(one, "ls /live/sub; ls /private/sub")).isEqualTo("later\n");
            }
            var bidirectional =
                    container("two", mount("live", "/l", false, false, Propagation.BIDIRECTIONAL));
            assertThatThrownBy(() -> node.sandboxes.createContainer(id, bidirectional))
                    .hasMessageContaining("mounts.propagation");
        }
        Files.writeString(host.resolve("data/while"), "nobody served\n");
        try (var node = new RealNode(directory, guest)) {
            while (node.sandboxes.container(one).state() != State.RUNNING) {
                Thread.sleep(50);
            }
            assertThat(node.exec(one, "cat /data/while")).isEqualTo("nobody served\n");
            assertThat(node.exec(one, "cat /etc/config/key")).isEqualTo("two");
            node.exec(one, "echo more >> /etc/hosts");
            assertThat(host.resolve("hosts")).hasContent("10.1.2.3 from-the-host\nmore\n");
            node.sandboxes.remove(id);
            assertThat(directory.resolve("state/pods")).isEmptyDirectory();
        }
    }

    @Test
    void aBlockDeviceOfTheHostIsADeviceOfTheContainer() throws Exception {
        var guest = RealNode.guest();
        var file = directory.toRealPath().resolve("disk.img");
        var content = new byte[1 << 20];
        Arrays.fill(content, (byte) 'a');
        Files.write(file, content);
        var device = loop(file);
        try (var node = new RealNode(directory, guest)) {
            node.loadImage();
            var id = node.sandboxes.run(spec());
            var writer = started(node, id, "writer", new Device(device, "/dev/xvda", "mrw"));
            var reader = started(node, id, "reader", new Device(device, "/dev/in/xvdb", "r"));
            assertThat(node.exec(writer, "head -c 3 /dev/xvda")).isEqualTo("aaa");
            assertThat(
                            node.exec(
                                    writer,
                                    "echo -n bcd | dd of=/dev/xvda conv=notrunc,fsync 2>/dev/null"))
                    .isEmpty();
            assertThat(node.exec(reader, "head -c 4 /dev/in/xvdb")).isEqualTo("bcda");
            assertThat(node.exec(reader, "echo x > /dev/in/xvdb")).contains("not permitted");
            assertThat(node.exec(writer, "cat /dev/xvda | wc -c")).isEqualTo("1048576\n");
            // others of the machine's disks are out of reach
            assertThat(node.exec(writer, "mknod /n b 8 0 && head -c 1 /n"))
                    .contains("not permitted");
            node.sandboxes.remove(id);
        } finally {
            run("losetup", "-d", device);
        }
        assertThat(Arrays.copyOf(Files.readAllBytes(file), 4)).isEqualTo("bcda".getBytes(UTF_8));
    }

    private static ContainerId started(RealNode node, SandboxId id, String name, Device device)
            throws Exception {
        var container = node.sandboxes.createContainer(id, container(name, List.of(device)));
        node.sandboxes.startContainer(container);
        return container;
    }

    private static String loop(Path file) throws Exception {
        var losetup = new ProcessBuilder("losetup", "-f", "--show", file.toString()).start();
        var device = new String(losetup.getInputStream().readAllBytes(), UTF_8).strip();
        if (losetup.waitFor() != 0) {
            var reason = "skipped: no loop device can be set up here";
            System.out.println(reason);
            abort(reason);
        }
        return device;
    }

    private boolean tmpfs(String place) throws Exception {
        boolean mounted =
                User.isRoot()
                        && run("mount", "-t", "tmpfs", "none", host.resolve(place).toString()) == 0;
        if (!mounted) {
            System.out.println("not tested: mounts below shares, since none can be made here");
        }
        return mounted;
    }

    private static SandboxSpec spec() {
        return new SandboxSpec(
                new SandboxSpec.Metadata("paths", "uid-1", "default", 0),
                "",
                "",
                Optional.empty(),
                NetworkRequest.Dns.OF_NETWORK,
                List.of(),
                Map.of(),
                Map.of(),
                Map.of(),
                SandboxSpec.Limits.NONE,
                Optional.empty(),
                Optional.empty());
    }

    private static ContainerConfig container(String name, Mount... mounts) {
        return container(name, List.of()).with(List.of(mounts));
    }

    private static ContainerConfig container(String name, List<Device> devices) {
        return new ContainerConfig(
                new ContainerConfig.Metadata(name, 0),
                RealNode.IMAGE,
                RealNode.IMAGE,
                List.of("/bin/sh", "-c", "sleep 1000"),
                List.of(),
                "",
                List.of(),
                List.of(),
                devices,
                Map.of(),
                Map.of(),
                Optional.empty(),
                false,
                false,
                false,
                Resources.NONE,
                Security.USUAL,
                new PidNamespace.Container(),
                "");
    }
}
