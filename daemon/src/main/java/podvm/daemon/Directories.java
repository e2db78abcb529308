package podvm.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * Where this user's daemon keeps its things unless told otherwise: root in the system's places,
 * others in those of the XDG base directory specification.
 */
record Directories(Path state, Path run, Path cache, Path guest) {
    static Directories here() throws PodException {
        try {
            return of(System.getenv(), uid());
        } catch (IOException e) {
            throw new PodException(
                    Kind.UNAVAILABLE,
                    "cannot tell who runs podvmd: " + e.getMessage(),
                    "is /proc mounted?",
                    e);
        }
    }

    static Directories of(Map<String, String> env, long uid) {
        var home = Path.of(env.getOrDefault("HOME", "/"));
        var cache =
                variable(env, "PODVM_CACHE")
                        .orElseGet(() ->
                                variable(env, "XDG_CACHE_HOME")
                                        .orElse(home.resolve(".cache"))
                                        .resolve("podvm"));
        var guest = variable(env, "PODVM_GUEST").orElse(cache.resolve("guest/current"));
        var state =
                variable(env, "PODVM_STATE")
                        .orElseGet(() ->
                                uid == 0
                                        ? Path.of("/var/lib/podvm")
                                        : variable(env, "XDG_STATE_HOME")
                                                .orElse(home.resolve(".local/state"))
                                                .resolve("podvm"));
        var run =
                variable(env, "PODVM_RUN")
                        .orElseGet(() ->
                                uid == 0
                                        ? Path.of("/run/podvm")
                                        : variable(env, "XDG_RUNTIME_DIR")
                                                .map(runtime -> runtime.resolve("podvm"))
                                                .orElse(Path.of("/tmp/podvm-" + uid)));
        return new Directories(state, run, cache, guest);
    }

    private static Optional<Path> variable(Map<String, String> env, String name) {
        return Optional.ofNullable(env.get(name)).filter(value -> !value.isEmpty()).map(Path::of);
    }

    /**
     * Makes a directory that this user owns and nobody else may enter; refuses one that is somebody
     * else's.
     */
    static Path own(Path directory) throws PodException {
        try {
            if (!Files.exists(directory)) {
                var mode =
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------"));
                Files.createDirectories(directory.getParent());
                Files.createDirectory(directory, mode);
            }
            var owner =
                    (Integer) Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS);
            long self = uid();
            if (owner != self) {
                throw new PodException(
                        Kind.DENIED,
                        "%s belongs to user %d, and podvmd runs as user %d"
                                .formatted(directory, owner, self),
                        "choose another directory, or run as its owner");
            }
            return directory;
        } catch (IOException e) {
            throw new PodException(
                    Kind.DENIED,
                    "cannot use the directory " + directory + ": " + e.getMessage(),
                    "choose another with PODVM_STATE or PODVM_RUN",
                    e);
        }
    }

    private static long uid() throws IOException {
        return ((Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid")).longValue();
    }
}
