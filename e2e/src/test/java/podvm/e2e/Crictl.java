package podvm.e2e;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** crictl, as its makers publish it, joined to a node. */
record Crictl(Node node, Path program) {
    private static final int BUILD_MINUTES = 8;

    /** Built once into the cache; the test is skipped, and says so, where there is no Go. */
    static Crictl of(Node node) throws IOException, InterruptedException {
        boolean go = Host.has("go") || Files.isExecutable(Path.of("/usr/local/go/bin/go"));
        if (!go) {
            System.out.println("skipped: no go on the PATH to build crictl with");
        }
        assumeTrue(go, "no go on the PATH to build crictl with");
        var build =
                new ProcessBuilder(System.getProperty("podvm.tools"), "crictl", "--version")
                        .inheritIO()
                        .start();
        if (!build.waitFor(BUILD_MINUTES, TimeUnit.MINUTES) || build.exitValue() != 0) {
            build.destroyForcibly();
            throw new IOException("crictl was not built");
        }
        var cache = System.getenv("PODVM_CACHE");
        var root =
                cache == null
                        ? Path.of(System.getProperty("user.home"), ".cache/podvm")
                        : Path.of(cache);
        return new Crictl(node, root.resolve("tools/crictl"));
    }

    List<String> command(String... words) {
        var endpoint = "unix://" + node.criSocket();
        var all =
                new ArrayList<>(
                        List.of(
                                program.toString(),
                                "--timeout",
                                "120s",
                                "--runtime-endpoint",
                                endpoint,
                                "--image-endpoint",
                                endpoint));
        all.addAll(List.of(words));
        return all;
    }

    Outcome run(String... words) throws IOException, InterruptedException {
        try (var running = node.startProgram(command(words))) {
            running.endInput();
            return running.await();
        }
    }

    /** One that must succeed; returns what it prints. */
    String out(String... words) throws IOException, InterruptedException {
        return run(words).expect(0).out().strip();
    }

    /** A file with a configuration, as crictl reads them. */
    String file(String json) throws IOException {
        return node.manifest(json).toString();
    }

    String sandbox(String name) throws IOException, InterruptedException {
        return out("runp", sandboxFile(name));
    }

    String sandboxFile(String name) throws IOException {
        return file(
                """
                {"metadata": {"name": "%1$s", "uid": "uid-%1$s", "namespace": "default", "attempt": 1},
                 "hostname": "%1$s", "log_directory": "%2$s", "labels": {"app": "%1$s"}}
                """
                        .formatted(name, node.base().resolve("tmp")));
    }

    /** Makes a container that runs a shell's script, and starts it. */
    String container(String sandbox, String pod, String name, String script, String more)
            throws IOException, InterruptedException {
        var id =
                out(
                        "create",
                        sandbox,
                        file(
                                """
                                {"metadata": {"name": "%s"}, "image": {"image": "localhost/box:1"},
                                 "command": ["sh", "-c", "%s"], "log_path": "%s.log"%s}
                                """
                                        .formatted(name, script, name, more)),
                        sandboxFile(pod));
        out("start", id);
        return id;
    }
}
