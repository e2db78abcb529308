package podvm.volume.share;

import java.util.concurrent.locks.ReentrantLock;
import podvm.linux.ErrnoException;
import podvm.linux.FileStat;
import podvm.linux.Place;

/**
 * The way from a node's number to its file. Every request walks it from the root, below which the
 * kernel holds it, and without following links; a file that is not the one meant is ESTALE. So no
 * rename, on the host or by the guest, leads out of the tree, and nothing is held open for it.
 */
final class ShareTree implements AutoCloseable {
    private final Place root;
    private final NodeTable nodes;
    private final Handles handles;

    /** Held by renames of the guest, which change the disk and the table one after the other. */
    private final ReentrantLock moving = new ReentrantLock();

    ShareTree(Place root, NodeTable nodes, Handles handles) {
        this.root = root;
        this.nodes = nodes;
        this.handles = handles;
    }

    /** A file and what is known of it. */
    record Found(Node node, Place place, FileStat stat) implements AutoCloseable {
        @Override
        public void close() {
            place.close();
        }
    }

    Found at(long id) throws ErrnoException {
        return at(nodes.get(id));
    }

    Found at(Node node) throws ErrnoException {
        try {
            return walk(node);
        } catch (ErrnoException e) {
            if (e.number() != ErrnoException.ESTALE) {
                throw e;
            }
        }
        // a rename of the guest that was half done is done now
        moving.lock();
        try {
            return walk(node);
        } catch (ErrnoException e) {
            if (e.number() != ErrnoException.ESTALE) {
                throw e;
            }
        } finally {
            moving.unlock();
        }
        try (var open =
                handles.anyOf(node).orElseThrow(() -> new ErrnoException(ErrnoException.ESTALE))) {
            return checked(node, open.file().place());
        }
    }

    private Found walk(Node node) throws ErrnoException {
        var path = nodes.path(node);
        Place place;
        try {
            place = node.root() ? root.again() : root.beneath(path);
        } catch (ErrnoException e) {
            throw switch (e.number()) {
                case ErrnoException.ENOENT, ErrnoException.ENOTDIR, ErrnoException.ELOOP ->
                        new ErrnoException(ErrnoException.ESTALE);
                default -> e;
            };
        }
        return checked(node, place);
    }

    /** Takes over the place. */
    private static Found checked(Node node, Place place) throws ErrnoException {
        var right = false;
        try {
            var stat = place.stat();
            right = node.identity().equals(Node.Identity.of(stat));
            if (!right) {
                throw new ErrnoException(ErrnoException.ESTALE);
            }
            return new Found(node, place, stat);
        } finally {
            if (!right) {
                place.close();
            }
        }
    }

    /** What a name of a directory leads to now. The guest is told of it, and will forget it. */
    Found tell(Found directory, byte[] name) throws ErrnoException {
        var place = directory.place().beneath(name);
        var told = false;
        try {
            var stat = place.stat();
            if (stat.device() != directory.stat().device() && HostMounts.ofKernel(place)) {
                throw new ErrnoException(ErrnoException.EACCES);
            }
            var isDirectory = stat.is(FileStat.DIRECTORY);
            var node = nodes.found(Node.Identity.of(stat), isDirectory, directory.node(), name);
            told = true;
            return new Found(node, place, stat);
        } finally {
            if (!told) {
                place.close();
            }
        }
    }

    void rename(Found from, byte[] name, Found to, byte[] newName, int flags)
            throws ErrnoException {
        moving.lock();
        try {
            var moved = identity(from, name);
            from.place().rename(name, to.place(), newName, flags);
            if ((flags & Place.RENAME_EXCHANGE) != 0) {
                nodes.moved(identity(from, name), from.node(), name);
            }
            nodes.moved(moved, to.node(), newName);
        } finally {
            moving.unlock();
        }
    }

    private static Node.Identity identity(Found directory, byte[] name) throws ErrnoException {
        try (var place = directory.place().beneath(name)) {
            return Node.Identity.of(place.stat());
        }
    }

    @Override
    public void close() {
        root.close();
    }
}
