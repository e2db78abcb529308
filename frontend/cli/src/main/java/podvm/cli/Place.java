package podvm.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;

/**
 * Where the daemon is.
 *
 * @param own the user's own run directory: a daemon may be started there; else the user has named a
 *     socket that is somebody else's to serve
 */
record Place(Path socket, boolean own) {
    private static final String SCHEME = "unix://";

    /** This process's directory; /proc/self itself is a link, and root's. */
    private static final Path SELF = Path.of("/proc/self/.");

    /** Finds it, in this order: --host, PODVM_HOST, PODVM_RUN, and the usual run directory. */
    static Place find(String host, Map<String, String> env) throws Failure {
        var named = host.isEmpty() ? env.getOrDefault("PODVM_HOST", "") : host;
        if (!named.isEmpty()) {
            if (!named.startsWith(SCHEME + "/")) {
                throw Failure.usage(
                        "not a daemon's address: " + named, "write it as unix:///run/x/node.sock");
            }
            return new Place(Path.of(named.substring(SCHEME.length())), false);
        }
        return new Place(runDirectory(env).resolve("node.sock"), true);
    }

    Path run() {
        var parent = socket.toAbsolutePath().getParent();
        return parent == null ? socket : parent;
    }

    private static Path runDirectory(Map<String, String> env) {
        var named = env.getOrDefault("PODVM_RUN", "");
        if (!named.isEmpty()) {
            return Path.of(named);
        }
        if ("root".equals(System.getProperty("user.name"))) {
            return Path.of("/run/podvm");
        }
        var session = env.getOrDefault("XDG_RUNTIME_DIR", "");
        return session.isEmpty()
                ? Path.of("/tmp/podvm-" + attribute(SELF, "unix:uid"))
                : Path.of(session, "podvm");
    }

    /** Who else can write here could give us a daemon of their own. */
    void check() throws Failure {
        if (!own) {
            return;
        }
        var mode = attribute(run(), "unix:mode");
        if (mode < 0) {
            return;
        }
        if (attribute(run(), "unix:uid") != attribute(SELF, "unix:uid")) {
            throw Failure.of(
                    "the run directory " + run() + " belongs to somebody else",
                    "remove it, or set PODVM_RUN to a directory of your own");
        }
        if ((mode & 077) != 0) {
            throw Failure.of("others may use the run directory " + run(), "run chmod 700 " + run());
        }
    }

    /** -1 where there is no such file. */
    private static int attribute(Path path, String name) {
        try {
            return (Integer) Files.getAttribute(path, name, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException _) {
            return -1;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
