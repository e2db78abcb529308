package podvm.node;

import static java.nio.charset.StandardCharsets.UTF_8;
import static podvm.engine.PodException.Kind.CONFLICT;
import static podvm.engine.PodException.Kind.DENIED;
import static podvm.engine.PodException.Kind.INVALID;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;
import podvm.engine.PodException;

/** The place where the API is found: a socket that only its owner can open. */
record NodeSocket(Path path) {
    /** sizeof sun_path is 108 with the closing zero: unix(7). */
    private static final int LONGEST_PATH = 107;

    private static final Set<PosixFilePermission> OWNER =
            PosixFilePermissions.fromString("rwx------");

    /** Makes the directory, and removes a socket that nobody answers. */
    void prepare() throws PodException {
        if (path.toString().getBytes(UTF_8).length > LONGEST_PATH) {
            throw new PodException(
                    INVALID,
                    "the socket's path is longer than 107 bytes: " + path,
                    "choose a shorter run directory");
        }
        try {
            prepareDirectory();
            if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                removeStale();
            }
        } catch (IOException e) {
            throw new PodException(
                    DENIED,
                    "cannot prepare the socket " + path + ": " + e.getMessage(),
                    "check who owns " + path.getParent(),
                    e);
        }
    }

    private void prepareDirectory() throws IOException, PodException {
        var directory = path.toAbsolutePath().getParent();
        Files.createDirectories(directory, PosixFilePermissions.asFileAttribute(OWNER));
        var open = EnumSet.copyOf(Files.getPosixFilePermissions(directory));
        open.removeAll(OWNER);
        if (!open.isEmpty()) {
            throw new PodException(
                    DENIED,
                    "others than its owner may use the run directory " + directory,
                    "run chmod 700 " + directory);
        }
    }

    private void removeStale() throws IOException, PodException {
        var attributes =
                Files.readAttributes(
                        path,
                        java.nio.file.attribute.BasicFileAttributes.class,
                        LinkOption.NOFOLLOW_LINKS);
        if (!attributes.isOther()) {
            throw new PodException(
                    INVALID, path + " is there and is no socket", "remove it and start again");
        }
        if (answers()) {
            throw new PodException(
                    CONFLICT,
                    "another podvmd answers at " + path,
                    "stop it, or choose another run directory");
        }
        Files.deleteIfExists(path);
    }

    private boolean answers() {
        try (var channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            return channel.isConnected();
        } catch (IOException _) {
            return false;
        }
    }

    void protect() throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    }
}
