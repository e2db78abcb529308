package podvm.volume.share;

import java.time.Instant;
import podvm.linux.FileStat;

/**
 * How long the guest may believe what it was told, and whether it may keep what it has read. The
 * host changes its files under running pods, so a name that is opened is always looked at anew.
 *
 * <p>A name that was replaced is noticed even while it is believed: each request goes to the file
 * that was meant, or fails with ESTALE, upon which the guest's kernel looks the names up again.
 */
final class Freshness {
    /** Spares one request per directory of a path; a removed name is seen no longer than that. */
    private static final int NAMES_NANOS = 20_000_000;

    private static final int FILES_NANOS = 10_000_000;

    /** Two changes within one tick of the file system's clock look like one (at most 10 ms). */
    private static final long TICKS_SECONDS = 2;

    private Freshness() {}

    /** None for symbolic links: where "..data" leads is what changes under a running pod. */
    static int entry(FileStat stat) {
        return stat.is(FileStat.SYMLINK) ? 0 : NAMES_NANOS;
    }

    /**
     * Of files for as long as opening, looking and reading take, which would each ask for them: one
     * that has grown since is read up to its old size no longer than that.
     */
    static int attributes(FileStat stat) {
        return stat.is(FileStat.REGULAR) ? FILES_NANOS : NAMES_NANOS;
    }

    /** What tells that a file's contents are those that the guest has read. */
    record Stamp(long size, FileStat.Time modified, FileStat.Time changed) {
        static Stamp of(FileStat stat) {
            return new Stamp(stat.size(), stat.modified(), stat.changed());
        }

        /** Long enough ago that a later change would show. */
        boolean settled() {
            return changed.seconds() < Instant.now().getEpochSecond() - TICKS_SECONDS;
        }
    }
}
