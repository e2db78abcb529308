package podvm.cri;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** The place where the kubelet finds its runtime: for its owner, and for one group where asked. */
record CriSocket(Path path, Optional<String> group) {
    /** Removes a socket that nobody answers. */
    void prepare() throws PodException {
        try {
            Files.createDirectories(path.toAbsolutePath().getParent());
            if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                return;
            }
            var attributes =
                    Files.readAttributes(
                            path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (!attributes.isOther()) {
                throw new PodException(
                        Kind.INVALID,
                        path + " is there and is no socket",
                        "remove it, or choose another cri.socket");
            }
            if (answers()) {
                throw new PodException(
                        Kind.CONFLICT,
                        "another runtime answers at " + path,
                        "stop it, or choose another cri.socket");
            }
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw new PodException(
                    Kind.DENIED,
                    "cannot prepare the socket " + path + ": " + e.getMessage(),
                    "choose another cri.socket",
                    e);
        }
    }

    private boolean answers() {
        try (var channel = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            return channel.isConnected();
        } catch (IOException _) {
            return false;
        }
    }

    /** Whoever may use it may do on this node what root may. */
    void protect() throws IOException, PodException {
        if (group.isEmpty()) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
            return;
        }
        try {
            var principal =
                    path.getFileSystem()
                            .getUserPrincipalLookupService()
                            .lookupPrincipalByGroupName(group.get());
            Files.getFileAttributeView(path, PosixFileAttributeView.class).setGroup(principal);
        } catch (IOException e) {
            throw new PodException(
                    Kind.INVALID,
                    "cannot give the socket %s to group %s: %s"
                            .formatted(path, group.get(), e.getMessage()),
                    "check cri.group",
                    e);
        }
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw----"));
    }
}
