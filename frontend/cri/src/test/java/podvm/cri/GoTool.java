package podvm.cri;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** Builds a program of e2e/tools: clients of the field, as their makers publish them. */
public final class GoTool {
    private static final Path SOURCES = Path.of("../../e2e/tools");

    private GoTool() {}

    /** The program; the test is skipped, and says so, where there is no Go. */
    public static synchronized Path build(String name) throws IOException, InterruptedException {
        var go = go();
        if (go.isEmpty()) {
            System.out.println("skipped: no go on the PATH to build e2e/tools/" + name);
        }
        assumeTrue(go.isPresent(), "no go on the PATH to build e2e/tools/" + name);
        var program = Path.of("target/tools", name).toAbsolutePath();
        var build =
                new ProcessBuilder(
                                go.get().toString(),
                                "build",
                                "-C",
                                SOURCES.toAbsolutePath().toString(),
                                "-o",
                                program.toString(),
                                "./" + name)
                        .redirectErrorStream(true)
                        .start();
        var output = new String(build.getInputStream().readAllBytes());
        if (build.waitFor() != 0) {
            throw new IOException("go build " + name + " failed: " + output);
        }
        return program;
    }

    private static Optional<Path> go() {
        var path = System.getenv("PATH") + File.pathSeparator + "/usr/local/go/bin";
        return Arrays.stream(path.split(File.pathSeparator))
                .map(Path::of)
                .map(directory -> directory.resolve("go"))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
