package podvm.volume.share;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.OptionalLong;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.Rollback;
import podvm.engine.Shares;
import podvm.linux.ErrnoException;
import podvm.linux.FileStat;
import podvm.linux.Place;

/**
 * Shares of the host's own files. What it keeps is in {@code <state>/pods/<pod id>/shares}: for
 * each share the numbers by which the guest knows its files.
 */
public final class HostShares implements Shares, AutoCloseable {
    /** As the agent takes names. */
    private static final Pattern NAME = Pattern.compile("[a-z0-9._-]{1,64}");

    /** About 20 MB of memory at most. */
    private static final int MOST_NODES = 65_536;

    private static final String NODES = ".nodes";

    private static final int MOST_OPEN = 1024;
    private static final int IDLE_SECONDS = 5;
    private static final long STACK = 256 << 10;

    private final Path pods;

    /**
     * Native calls wait for disks and network file systems, and would hold the few carriers of
     * virtual threads. Each share takes as many as it works on at once.
     */
    private final ExecutorService workers =
            new ThreadPoolExecutor(
                    0,
                    Integer.MAX_VALUE,
                    IDLE_SECONDS,
                    TimeUnit.SECONDS,
                    new SynchronousQueue<>(),
                    task -> {
                        var thread = new Thread(null, task, "share-io", STACK);
                        thread.setDaemon(true);
                        return thread;
                    });

    public HostShares(Path state) {
        pods = state.resolve("pods");
    }

    @Override
    public Tree look(Path path, Writable writable, Mounts mounts)
            throws PodException, InterruptedException {
        return Patience.with(path, workers, () -> HostTrees.look(path, writable, mounts));
    }

    @Override
    public OptionalLong hugepages(Path path) throws PodException, InterruptedException {
        return Patience.with(path, workers, () -> HostTrees.hugepages(path));
    }

    @Override
    public HostShare open(PodId pod, ShareSpec share) throws PodException, InterruptedException {
        if (!NAME.matcher(share.name()).matches() || share.name().matches("\\.\\.?")) {
            throw new PodException(
                    Kind.INVALID,
                    "not the name of a share: " + share.name(),
                    "use 1 to 64 of a-z, 0-9, '.', '_', '-'");
        }
        return share.tree().shown() == Shares.Shown.SOCKET
                ? new ServedSocket(share)
                : Patience.with(share.tree().root(), workers, () -> opened(pod, share));
    }

    private HostShare opened(PodId pod, ShareSpec share) throws PodException {
        try (var undo = new Rollback()) {
            var root = undo.add(HostTrees.open(share.tree()));
            var served = served(pod, share, root);
            var _ = undo.keep();
            return served;
        } catch (ErrnoException e) {
            throw cannot("share", share.tree().root(), e);
        } catch (IOException e) {
            throw new PodException(
                    Kind.EXHAUSTED,
                    "cannot keep the nodes of share " + share.name() + " of pod " + pod + ": " + e,
                    "check the space left and the permissions of " + directory(pod),
                    e);
        }
    }

    private ServedShare served(PodId pod, ShareSpec share, Place root)
            throws ErrnoException, IOException, PodException {
        var stat = HostTrees.checked(share.tree().root(), root);
        var identity = Node.Identity.of(stat);
        var journal = NodeJournal.open(made(directory(pod)).resolve(share.name() + NODES));
        var nodes = new NodeTable(MOST_NODES, journal, identity);
        var handles = new Handles(MOST_OPEN, nodes);
        var tree = new ShareTree(root, nodes, handles);
        var readOnly = share.tree().writable() == Writable.NOTHING;
        return new ServedShare(
                share,
                identity,
                stat.is(FileStat.DIRECTORY),
                new ShareServer(readOnly, tree, nodes, handles, Owners.ofThisProcess(), workers),
                workers);
    }

    static PodException cannot(String what, Path path, ErrnoException cause) {
        var kind =
                switch (cause.number()) {
                    case ErrnoException.ENOENT, ErrnoException.ENOTDIR -> Kind.NOT_FOUND;
                    case ErrnoException.EPERM, ErrnoException.EACCES -> Kind.DENIED;
                    case ErrnoException.EMFILE -> Kind.EXHAUSTED;
                    default -> Kind.UNAVAILABLE;
                };
        return new PodException(
                kind,
                "cannot " + what + " " + path + ": " + cause.getMessage(),
                "check that the path exists and that the daemon's user may reach it",
                cause);
    }

    private static Path made(Path directory) throws IOException {
        return java.nio.file.Files.createDirectories(
                directory,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }

    private Path directory(PodId pod) {
        return pods.resolve(pod.text()).resolve("shares");
    }

    @Override
    public void destroy(PodId pod, String name) throws PodException {
        var file = directory(pod).resolve(name + NODES);
        try {
            java.nio.file.Files.deleteIfExists(file);
        } catch (IOException e) {
            throw cannotRemove(file, e);
        }
    }

    private static PodException cannotRemove(Path path, IOException cause) {
        return new PodException(
                Kind.EXHAUSTED,
                "cannot remove " + path + ": " + cause,
                "check its permissions",
                cause);
    }

    @Override
    public void destroy(PodId pod) throws PodException {
        var directory = directory(pod);
        try {
            try (var files = java.nio.file.Files.list(directory)) {
                for (var file : files.toList()) {
                    java.nio.file.Files.deleteIfExists(file);
                }
            }
            java.nio.file.Files.deleteIfExists(directory);
            java.nio.file.Files.deleteIfExists(directory.getParent());
        } catch (NoSuchFileException _) {
            // it never had a share
        } catch (DirectoryNotEmptyException _) {
            // others keep things of the pod there too
        } catch (IOException e) {
            throw cannotRemove(directory, e);
        }
    }

    @Override
    public void close() {
        workers.shutdown();
    }
}
