package podvm.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** CNI's own plugins: built where Go is, else those of the distribution. */
final class CniPlugins {
    static final String WHY_NOT =
            "no CNI plugins: neither Go to build them (/usr/local/go/bin/go or on the PATH) nor the"
                    + " package containernetworking-plugins";

    private static final Path SOURCE = Path.of("src/test/cni");
    private static final Path OF_DISTRIBUTION = Path.of("/usr/lib/cni");
    private static final String MODULE = "github.com/containernetworking/plugins/plugins/";
    private static final List<String> NAMES =
            List.of("main/bridge", "ipam/host-local", "meta/portmap", "meta/bandwidth");

    private CniPlugins() {}

    static Optional<Path> directory() throws IOException, InterruptedException {
        var built = cache().resolve("cni-plugins");
        if (complete(built) || build(built)) {
            return Optional.of(built);
        }
        return complete(OF_DISTRIBUTION) ? Optional.of(OF_DISTRIBUTION) : Optional.empty();
    }

    private static boolean complete(Path directory) {
        return NAMES.stream()
                .map(name -> directory.resolve(name.substring(name.indexOf('/') + 1)))
                .allMatch(Files::isExecutable);
    }

    private static boolean build(Path into) throws IOException, InterruptedException {
        var go = go();
        if (go.isEmpty()) {
            return false;
        }
        Files.createDirectories(into);
        var command =
                new java.util.ArrayList<>(
                        List.of(go.get().toString(), "build", "-o", into.toString() + "/"));
        NAMES.forEach(name -> command.add(MODULE + name));
        var builder = new ProcessBuilder(command).directory(SOURCE.toFile()).inheritIO();
        builder.environment().put("CGO_ENABLED", "0");
        builder.environment().put("GOTOOLCHAIN", "local");
        var process = builder.start();
        if (!process.waitFor(8, TimeUnit.MINUTES) || process.exitValue() != 0) {
            process.destroyForcibly();
            System.out.println("the CNI plugins of " + SOURCE + " cannot be built here");
            return false;
        }
        return complete(into);
    }

    private static Optional<Path> go() {
        var path = System.getenv("PATH");
        return java.util.stream.Stream.concat(
                        java.util.stream.Stream.of("/usr/local/go/bin"),
                        java.util.Arrays.stream((path == null ? "" : path).split(":")))
                .map(directory -> Path.of(directory, "go"))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static Path cache() {
        var cache = System.getenv("PODVM_CACHE");
        return cache != null
                ? Path.of(cache)
                : Path.of(System.getProperty("user.home"), ".cache/podvm");
    }
}
