package podvm.volume.share;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.Shares;
import podvm.engine.Shares.Mounts;
import podvm.engine.Shares.Tree;
import podvm.engine.Shares.Writable;
import podvm.linux.ErrnoException;
import podvm.linux.FileStat;
import podvm.linux.MountCopy;
import podvm.linux.Place;

/** Where a share begins: which file a path of the host leads to, and which mounts go with it. */
final class HostTrees {
    private static final Path DEVICES = Path.of("/dev");
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    private static final String HUGEPAGES = "hugetlbfs";

    private HostTrees() {}

    static Tree look(Path path, Writable writable, Mounts mounts) throws PodException {
        try (var place = found(path)) {
            var stat = checked(path, place);
            var root = name(path, place, stat);
            if (stat.is(FileStat.SOCKET)) {
                return socket(root);
            }
            if (root.startsWith(DEVICES) && !root.startsWith(SHARED_MEMORY)) {
                throw new PodException(
                        Kind.UNSUPPORTED,
                        "cannot share " + path + ": devices of the host are not in a machine",
                        "ask for the devices by name; /dev/shm of the host can be shared");
            }
            return new Tree(root, possible(writable, root, place), mounts);
        } catch (ErrnoException e) {
            throw HostShares.cannot("share", path, e);
        } catch (IOException e) {
            throw new PodException(
                    Kind.UNAVAILABLE,
                    "cannot tell what is mounted below " + path + ": " + e,
                    "is /proc mounted?",
                    e);
        }
    }

    private static Tree socket(Path root) throws PodException {
        if (root.toString().getBytes(UTF_8).length > ServedSocket.LONGEST_PATH) {
            throw new PodException(
                    Kind.UNSUPPORTED,
                    "cannot share the socket " + root + ": its path is too long to connect to",
                    "at most " + ServedSocket.LONGEST_PATH + " bytes");
        }
        return new Tree(root, Writable.ALL, Mounts.LIVE, Shares.Shown.SOCKET);
    }

    static OptionalLong hugepages(Path path) {
        try {
            var files = Files.getFileStore(path);
            return files.type().equals(HUGEPAGES)
                    ? OptionalLong.of(files.getBlockSize())
                    : OptionalLong.empty();
        } catch (IOException e) {
            // whoever looks next tells what is wrong with it
            return OptionalLong.empty();
        }
    }

    /** As runtimes of containers do, which make a directory for a path that leads nowhere. */
    private static Place found(Path path) throws PodException, ErrnoException {
        try {
            return Place.at(path);
        } catch (ErrnoException e) {
            if (e.number() != ErrnoException.ENOENT) {
                throw e;
            }
        }
        try {
            Files.createDirectories(path);
        } catch (IOException e) {
            throw new PodException(
                    Kind.DENIED,
                    "cannot make the directory " + path + " that is to be shared: " + e,
                    "make it, or let the daemon's user make it",
                    e);
        }
        return Place.at(path);
    }

    /** What a machine can do something with. */
    static FileStat checked(Path path, Place place) throws ErrnoException, PodException {
        var stat = place.stat();
        if (stat.is(FileStat.SOCKET)) {
            return stat;
        }
        if (!stat.is(FileStat.DIRECTORY) && !stat.is(FileStat.REGULAR)) {
            throw new PodException(
                    Kind.UNSUPPORTED,
                    "cannot share " + path + ": neither a directory, a regular file nor a socket",
                    "pipes and devices of the host do nothing in a machine");
        }
        if (HostMounts.ofKernel(place)) {
            throw new PodException(
                    Kind.UNSUPPORTED,
                    "cannot share " + path + ": its files are about this host's kernel",
                    "a pod that looks after its host needs a runtime class without machines");
        }
        return stat;
    }

    /** Later daemons go by the name, so it must lead to the same file. */
    private static Path name(Path path, Place place, FileStat stat)
            throws ErrnoException, PodException {
        var name = place.path();
        try (var again = Place.at(name)) {
            if (Node.Identity.of(again.stat()).equals(Node.Identity.of(stat))) {
                return name;
            }
        } catch (ErrnoException e) {
            // told below
        }
        throw new PodException(
                Kind.UNAVAILABLE, "what " + path + " leads to was moved away", "try again");
    }

    private static Writable possible(Writable wish, Path root, Place place) throws IOException {
        if (wish != Writable.BELOW_MOUNTS) {
            return wish;
        }
        return HostMounts.below(root) && HostMounts.canCopy(place) ? wish : Writable.NOTHING;
    }

    /**
     * A user who may not copy mounts sees those that are made later as well: he may not make any
     * either.
     */
    static Place open(Tree tree) throws ErrnoException {
        var place = Place.at(tree.root());
        var copied = tree.mounts() == Mounts.AS_OPENED || tree.writable() == Writable.BELOW_MOUNTS;
        if (!copied || (tree.writable() != Writable.BELOW_MOUNTS && !HostMounts.canCopy(place))) {
            return place;
        }
        try (place) {
            var copy = MountCopy.of(place);
            var done = false;
            try {
                if (tree.writable() == Writable.BELOW_MOUNTS) {
                    MountCopy.makeReadOnly(copy);
                }
                done = true;
                return copy;
            } finally {
                if (!done) {
                    copy.close();
                }
            }
        }
    }
}
