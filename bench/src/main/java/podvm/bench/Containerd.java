package podvm.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A containerd of our own, with overlayfs snapshots and nothing for Kubernetes. */
final class Containerd implements AutoCloseable {
    private final Path programs;
    private final Path socket;
    private final Process process;

    private Containerd(Path programs, Path socket, Process process) {
        this.programs = programs;
        this.socket = socket;
        this.process = process;
    }

    /**
     * @param programs where containerd and ctr are
     */
    static Containerd start(Path programs, Path directory)
            throws IOException, InterruptedException {
        var socket = Files.createDirectories(directory).resolve("containerd.sock");
        var config = directory.resolve("config.toml");
        Files.writeString(
                config,
                """
                version = 3
                root = "%s"
                state = "%s"
                disabled_plugins = ["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
                  "io.containerd.grpc.v1.cri", "io.containerd.nri.v1.nri"]
                [grpc]
                address = "%s"
                """
                        .formatted(directory.resolve("root"), directory.resolve("state"), socket));
        var process =
                new ProcessBuilder(
                                programs.resolve("containerd").toString(),
                                "--config",
                                config.toString(),
                                "--log-level",
                                "warn")
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("log").toFile())
                        .start();
        var containerd = new Containerd(programs, socket, process);
        for (int i = 0; !Files.exists(socket) || containerd.call("version") != 0; i++) {
            if (i > 100 || !process.isAlive()) {
                throw new IOException(
                        "containerd does not start: " + Files.readString(directory.resolve("log")));
            }
            Thread.sleep(100);
        }
        return containerd;
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

    @Override
    public void close() {
        process.destroy();
        var _ = process.onExit().join();
    }
}
