package podvm.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** A containerd of our own, with overlayfs snapshots. */
final class Containerd implements AutoCloseable {
    /** Of the image that {@link #load} brings. */
    static final String IMAGE = "localhost/bench/busybox:1";

    private final Path programs;
    private final Path directory;
    private final Path socket;
    private final Process process;

    private Containerd(Path programs, Path directory, Path socket, Process process) {
        this.programs = programs;
        this.directory = directory;
        this.socket = socket;
        this.process = process;
    }

    /**
     * With nothing for Kubernetes.
     *
     * @param programs where containerd and ctr are
     */
    static Containerd start(Path programs, Path directory)
            throws IOException, InterruptedException {
        return start(
                programs,
                directory,
                """
                disabled_plugins = ["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
                  "io.containerd.grpc.v1.cri", "io.containerd.nri.v1.nri"]
                """,
                "");
    }

    /**
     * As a kubelet's runtime, with runc.
     *
     * @param programs where the plugins of networks are, too
     */
    static Containerd forKubernetes(Path programs, Path directory, Path cniConfiguration)
            throws IOException, InterruptedException {
        return start(
                programs,
                directory,
                """
                disabled_plugins = ["io.containerd.nri.v1.nri"]
                """,
                """
                [plugins."io.containerd.cri.v1.images".pinned_images]
                sandbox = "%s"
                [plugins."io.containerd.cri.v1.runtime"]
                restrict_oom_score_adj = true
                [plugins."io.containerd.cri.v1.runtime".cni]
                bin_dirs = ["%s"]
                conf_dir = "%s"
                """
                        .formatted(IMAGE, programs, cniConfiguration));
    }

    private static Containerd start(Path programs, Path directory, String head, String plugins)
            throws IOException, InterruptedException {
        var socket = Files.createDirectories(directory).resolve("containerd.sock");
        var config = directory.resolve("config.toml");
        Files.writeString(
                config,
                """
                version = 3
                root = "%s"
                state = "%s"
                %s
                [grpc]
                address = "%s"
                %s
                """
                        .formatted(
                                directory.resolve("root"),
                                directory.resolve("state"),
                                head,
                                socket,
                                plugins));
        var command =
                new ProcessBuilder(
                                programs.resolve("containerd").toString(),
                                "--config",
                                config.toString(),
                                "--log-level",
                                "warn")
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("log").toFile());
        // shims and runc are beside it
        command.environment().merge("PATH", programs.toString(), (path, own) -> own + ":" + path);
        var process = command.start();
        var containerd = new Containerd(programs, directory, socket, process);
        // also where the benchmark is interrupted
        Runtime.getRuntime().addShutdownHook(new Thread(containerd::close));
        for (int i = 0; !Files.exists(socket) || containerd.call("version") != 0; i++) {
            if (i > 100 || !process.isAlive()) {
                throw new IOException(
                        "containerd does not start: " + Files.readString(directory.resolve("log")));
            }
            Thread.sleep(100);
        }
        return containerd;
    }

    Path socket() {
        return socket;
    }

    /** Makes an image of one root file system, which stands still as a pod's own process, too. */
    void load(Path tar) throws Exception {
        var folder = Files.createDirectories(socket.resolveSibling("image"));
        Files.copy(tar, folder.resolve("layer.tar"));
        var hash = MessageDigest.getInstance("SHA-256");
        var digest = HexFormat.of().formatHex(hash.digest(Files.readAllBytes(tar)));
        Files.writeString(
                folder.resolve("config.json"),
                """
                {"architecture": "%s", "os": "linux",
                 "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sleep", "1000000"]},
                 "rootfs": {"type": "layers", "diff_ids": ["sha256:%s"]}}
                """
                        .formatted(Registry.architecture(), digest));
        Files.writeString(
                folder.resolve("manifest.json"),
                """
                [{"Config": "config.json", "RepoTags": ["%s"], "Layers": ["layer.tar"]}]
                """
                        .formatted(IMAGE));
        var archive = socket.resolveSibling("image.tar");
        int code =
                new ProcessBuilder("tar", "-cf", archive.toString(), "-C", folder.toString(), ".")
                        .inheritIO()
                        .start()
                        .waitFor();
        if (code != 0) {
            throw new IOException("tar ended with exit code " + code);
        }
        expect("--namespace", "k8s.io", "images", "import", archive.toString());
    }

    void pull(String reference) throws IOException, InterruptedException {
        expect("images", "pull", "--plain-http", "--snapshotter", "overlayfs", reference);
    }

    void remove(String reference) throws IOException, InterruptedException {
        expect("images", "rm", "--sync", reference);
    }

    private void expect(String... words) throws IOException, InterruptedException {
        int code = call(words);
        if (code != 0) {
            throw new IOException(
                    "ctr %s ended with exit code %d".formatted(String.join(" ", words), code));
        }
    }

    private int call(String... words) throws IOException, InterruptedException {
        var line = new ArrayList<String>();
        line.add(programs.resolve("ctr").toString());
        line.add("--address");
        line.add(socket.toString());
        line.addAll(List.of(words));
        return new ProcessBuilder(line)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    /** With what a client that was ended early has left there. */
    @Override
    public void close() {
        process.destroy();
        var _ = process.onExit().join();
        ProcessHandle.allProcesses()
                .filter(this::isShim)
                .forEach(shim -> {
                    shim.descendants().forEach(ProcessHandle::destroyForcibly);
                    shim.destroyForcibly();
                });
        try {
            unmount();
        } catch (IOException e) {
            System.err.println("containerd's mounts stay: " + e.getMessage());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean isShim(ProcessHandle one) {
        var line = one.info().commandLine().orElse("");
        return line.contains("containerd-shim") && line.contains(directory.toString());
    }

    private void unmount() throws IOException, InterruptedException {
        var own = directory + "/";
        for (var line : Files.readAllLines(Path.of("/proc/mounts")).reversed()) {
            var place = line.split(" ")[1];
            if (place.startsWith(own)) {
                new ProcessBuilder("umount", "--lazy", place).inheritIO().start().waitFor();
            }
        }
    }
}
