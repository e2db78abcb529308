package podvm.volume.share;

import org.jspecify.annotations.Nullable;
import podvm.linux.FileStat;

/**
 * A file that the guest's kernel knows by number. Where it lies is what was last seen; whoever uses
 * it checks that the same file still lies there. Guarded by its table, but for the stamp.
 */
final class Node {
    /**
     * The same file, whatever its names; a number that was used again has another birth.
     *
     * @param born nanoseconds and seconds in one number that only needs to differ
     */
    record Identity(long device, long inode, long born) {
        static Identity of(FileStat stat) {
            var born = stat.born();
            return new Identity(
                    stat.device(), stat.inode(), born.seconds() * 1_000_000_000 + born.nanos());
        }
    }

    private final long id;
    private final Identity identity;
    private final boolean directory;

    /** Null for the root alone. */
    @Nullable Node parent;

    byte[] name;

    /** How often the guest was told of it since this server began. */
    long lookups;

    /** An earlier server told the guest of it, nobody knows how often. */
    boolean inherited;

    /** Nodes whose way leads through this one. */
    int children;

    /** Open files of it. */
    int handles;

    /** Contents that the guest has cached. */
    volatile Freshness.@Nullable Stamp cached;

    Node(long id, Identity identity, boolean directory, @Nullable Node parent, byte[] name) {
        this.id = id;
        this.identity = identity;
        this.directory = directory;
        this.parent = parent;
        this.name = name;
    }

    long id() {
        return id;
    }

    Identity identity() {
        return identity;
    }

    boolean directory() {
        return directory;
    }

    boolean root() {
        return parent == null;
    }
}
