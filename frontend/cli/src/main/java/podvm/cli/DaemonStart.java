package podvm.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Starts a daemon for this user in the background. Of several commands at once one starts it; the
 * others wait for its socket.
 */
final class DaemonStart {
    static final String LOG = "podvmd.log";

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int LAST_LINES = 15;

    /** Variables that the daemon reads, too, and that may be relative to the caller's directory. */
    private static final List<String> DIRECTORIES =
            List.of("PODVM_STATE", "PODVM_CACHE", "PODVM_GUEST");

    private final Place place;
    private final long deadline = System.nanoTime() + PATIENCE.toNanos();

    DaemonStart(Place place) {
        this.place = place;
    }

    void run() throws Failure {
        try {
            Files.createDirectories(
                    place.run(),
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
            place.check();
            try (var channel =
                    FileChannel.open(
                            place.run().resolve("start.lock"),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE)) {
                startLocked(channel);
            }
        } catch (IOException e) {
            throw Failure.of(
                    "cannot start podvmd in " + place.run() + ": " + e.getMessage(),
                    "set PODVM_RUN to a directory of your own");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw Failure.of("interrupted while podvmd started", "");
        }
    }

    private void startLocked(FileChannel channel)
            throws IOException, Failure, InterruptedException {
        // closing the channel gives the lock back
        while (true) {
            var lock = tryLock(channel);
            if (answers()) {
                return;
            }
            if (lock != null) {
                start();
                return;
            }
            pause();
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException _) {
            // another thread of this process has it
            return null;
        }
    }

    private void start() throws IOException, Failure, InterruptedException {
        var program = program();
        var log = place.run().resolve(LOG);
        var builder =
                new ProcessBuilder("setsid", program.toString(), "--private")
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                        .redirectErrorStream(true);
        // the daemon outlives the command, and must not keep the caller's file system in use
        builder.directory(Path.of("/").toFile());
        var env = builder.environment();
        for (var name : DIRECTORIES) {
            var named = env.getOrDefault(name, "");
            if (!named.isEmpty()) {
                env.put(name, Path.of(named).toAbsolutePath().toString());
            }
        }
        env.put("PODVM_RUN", place.run().toString());
        var before = Files.exists(log) ? Files.size(log) : 0;
        var daemon = builder.start();
        while (!answers()) {
            if (!daemon.isAlive()) {
                throw Failure.of(
                        "podvmd ended while it started, exit code "
                                + daemon.exitValue()
                                + lastLines(log, before),
                        "podvm doctor checks what it needs; its log is " + log);
            }
            pause();
        }
    }

    private Path program() throws Failure {
        var home = System.getProperty("podvm.home", "");
        var program = Path.of(home, "bin/podvmd").toAbsolutePath();
        if (home.isEmpty() || !Files.isExecutable(program)) {
            throw Failure.of(
                    "no daemon answers at "
                            + place.socket()
                            + " and none can be started: no "
                            + (home.isEmpty() ? "podvm.home is set" : program),
                    "start podvmd, or install podvm with it");
        }
        return program;
    }

    private void pause() throws Failure, InterruptedException {
        if (System.nanoTime() - deadline > 0) {
            throw Failure.of(
                    "podvmd does not answer at %s within %d s"
                            .formatted(place.socket(), PATIENCE.toSeconds()),
                    "see " + place.run().resolve(LOG));
        }
        Thread.sleep(10);
    }

    private boolean answers() {
        if (!Files.exists(place.socket())) {
            return false;
        }
        try (var channel = SocketChannel.open(UnixDomainSocketAddress.of(place.socket()))) {
            return channel.isConnected();
        } catch (IOException _) {
            return false;
        }
    }

    /** What the daemon said this time. */
    private static String lastLines(Path log, long from) throws IOException {
        var bytes = Files.readAllBytes(log);
        var start = (int) Math.min(from, bytes.length);
        var lines = new String(bytes, start, bytes.length - start, UTF_8).lines().toList();
        var text = new StringBuilder();
        for (var line : lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size())) {
            text.append("\n  | ").append(line);
        }
        return text.toString();
    }
}
