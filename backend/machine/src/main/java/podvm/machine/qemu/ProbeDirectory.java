package podvm.machine.qemu;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import podvm.engine.PodException;
import podvm.machine.ProcessSearch;

/**
 * The working directory of a probe's VMM, named by the process that probes. A VMM whose KVM hangs
 * outlives a prober that is killed; whoever probes next finds it by its working directory.
 */
record ProbeDirectory(Path path) implements AutoCloseable {
    private static final String PREFIX = "probe-";
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
                if (!ProcessSearch.exists(prober)) {
                    var dead = new ProbeDirectory(directory);
                    dead.kill();
                    dead.close();
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
    }

    private void kill() throws PodException {
        for (var entry : ProcessSearch.all()) {
            var found = ProcessSearch.open(entry, this::worksHere);
            if (found.isPresent()) {
                try (var process = found.get()) {
                    process.kill(DEATH);
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

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(console());
        Files.deleteIfExists(path);
    }
}
