package podvm.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** What the tests look at, or do, on the host beside the product. */
final class Host {
    private Host() {}

    static boolean isRoot() {
        try {
            return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
        } catch (IOException e) {
            throw new IllegalStateException("cannot tell who runs the tests", e);
        }
    }

    static void signal(long pid, String name) throws IOException, InterruptedException {
        command("kill", "-" + name, Long.toString(pid));
    }

    /** Runs a tool of the host to its end; fails where it fails. */
    static String command(String... words) throws IOException, InterruptedException {
        var process = new ProcessBuilder(words).redirectErrorStream(true).start();
        process.getOutputStream().close();
        var out = new String(process.getInputStream().readAllBytes(), UTF_8);
        if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IOException(String.join(" ", words) + " failed: " + out);
        }
        return out;
    }

    static boolean has(String program) {
        return Stream.of(System.getenv("PATH").split(":"))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }

    /** Processes that work in a folder or were told about it: the VMMs and the daemon of a node. */
    static List<String> processesOf(Path folder) throws IOException {
        var found = new ArrayList<String>();
        try (var all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (var process : all) {
                if (belongsTo(process, folder)) {
                    found.add(process.getFileName() + " " + commandLine(process));
                }
            }
        }
        return found;
    }

    private static boolean belongsTo(Path process, Path folder) {
        try {
            return Files.readSymbolicLink(process.resolve("cwd")).startsWith(folder)
                    || text(process.resolve("environ")).contains("=" + folder + "/");
        } catch (IOException e) {
            // it has ended meanwhile, or is somebody else's
            return false;
        }
    }

    static List<Long> machinesOf(Path folder) throws IOException {
        return processesOf(folder).stream()
                .filter(line -> line.contains("qemu-"))
                .map(line -> Long.parseLong(line.substring(0, line.indexOf(' '))))
                .toList();
    }

    private static String commandLine(Path process) throws IOException {
        return text(process.resolve("cmdline")).replace('\0', ' ');
    }

    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), UTF_8);
    }

    static Optional<String> read(Path file) {
        try {
            return Optional.of(Files.readString(file));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    static long totalMib() throws IOException {
        for (var line : Files.readAllLines(Path.of("/proc/meminfo"))) {
            if (line.startsWith("MemTotal:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
            }
        }
        throw new IOException("/proc/meminfo has no MemTotal");
    }

    static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        try (var all = Files.walk(root)) {
            for (var path : all.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
