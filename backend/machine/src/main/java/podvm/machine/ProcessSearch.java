package podvm.machine;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.linux.HostProcess;

/** Finds processes by what /proc says of them. */
public final class ProcessSearch {
    private static final Path PROC = Path.of("/proc");

    private ProcessSearch() {}

    /** Directories of all processes; each may be gone when it is looked at. */
    public static List<Path> all() throws PodException {
        var found = new ArrayList<Path>();
        try (var entries = Files.newDirectoryStream(PROC, "[0-9]*")) {
            entries.forEach(found::add);
        } catch (IOException | DirectoryIteratorException e) {
            throw new PodException(Kind.UNAVAILABLE, "cannot list /proc: " + e, "", e);
        }
        return found;
    }

    public static boolean exists(String pid) {
        return Files.exists(PROC.resolve(pid));
    }

    /**
     * The process of a directory, for the caller to close; empty where it is not the wanted one, or
     * gone. Looks again once the pidfd is open: between, the number may have gone to another
     * process.
     */
    public static Optional<HostProcess> open(Path entry, Predicate<Path> wanted)
            throws PodException {
        if (!wanted.test(entry)) {
            return Optional.empty();
        }
        try {
            var process = HostProcess.open(Long.parseLong(entry.getFileName().toString()));
            if (process.alive() && wanted.test(entry)) {
                return Optional.of(process);
            }
            process.close();
            return Optional.empty();
        } catch (PodException e) {
            if (e.kind() == Kind.NOT_FOUND) {
                return Optional.empty();
            }
            throw e;
        }
    }
}
