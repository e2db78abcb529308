package podvm.machine.qemu;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import podvm.engine.PodException;
import podvm.linux.HostProcess;

/**
 * The working directory of a probe's VMM, named by the process that probes. A VMM whose KVM hangs
 * outlives a prober that is killed; whoever probes next finds it by its working directory.
 */
record ProbeDirectory(Path path) implements AutoCloseable {
    private static final String PREFIX = "probe-";
    private static final Path PROC = Path.of("/proc");
    private static final Duration DEATH = Duration.ofSeconds(10);

    static ProbeDirectory create(Path cache) throws IOException, PodException {
        Files.createDirectories(cache);
        sweep(cache);
        var path = cache.toRealPath().resolve(PREFIX + ProcessHandle.current().pid());
        Files.createDirectories(path);
        return new ProbeDirectory(path);
    }

    Path console() {
        return path.resolve("console.log");
    }

    /** Ends what dead probers left. */
    static void sweep(Path cache) throws IOException, PodException {
        try (var left = Files.newDirectoryStream(cache.toRealPath(), PREFIX + "[0-9]*")) {
            for (var directory : left) {
                var prober = directory.getFileName().toString().substring(PREFIX.length());
                if (!Files.exists(PROC.resolve(prober))) {
                    var dead = new ProbeDirectory(directory);
                    dead.kill();
                    dead.close();
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
    }

    private void kill() throws IOException, PodException {
        try (var entries = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (var entry : entries) {
                if (worksHere(entry)) {
                    end(Long.parseLong(entry.getFileName().toString()), entry);
                }
            }
        }
    }

    private boolean worksHere(Path process) {
        try {
            return Files.readSymbolicLink(process.resolve("cwd")).equals(path);
        } catch (IOException _) {
            // gone meanwhile, or somebody else's
            return false;
        }
    }

    /** Looks again once the pidfd is open: between, the number may have gone to another process. */
    private void end(long pid, Path entry) throws PodException {
        try (var process = HostProcess.open(pid)) {
            if (worksHere(entry)) {
                process.kill(DEATH);
            }
        } catch (PodException e) {
            if (e.kind() != PodException.Kind.NOT_FOUND) {
                throw e;
            }
        }
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(console());
        Files.deleteIfExists(path);
    }
}
