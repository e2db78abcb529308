package podvm.volume.share;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import podvm.linux.ErrnoException;
import podvm.linux.FileStat;
import podvm.linux.OpenFlags;
import podvm.linux.Place;

/** Requests about what is known of a file beside its contents. */
final class Attributes {
    private static final int GETATTR_FH = 1;

    private static final int MODE = 1;
    private static final int UID = 1 << 1;
    private static final int GID = 1 << 2;
    private static final int SIZE = 1 << 3;
    private static final int ATIME = 1 << 4;
    private static final int MTIME = 1 << 5;
    private static final int FH = 1 << 6;
    private static final int ATIME_NOW = 1 << 7;
    private static final int MTIME_NOW = 1 << 8;

    private static final int PERMISSIONS = 07777;
    private static final int UNCHANGED = -1;

    /** XATTR_SIZE_MAX and XATTR_LIST_MAX of Linux. */
    private static final int MOST_BYTES = 65_536;

    private static final int ERANGE = 34;

    private final ShareTree tree;
    private final Files files;
    private final Handles handles;
    private final Owners owners;

    Attributes(ShareTree tree, Files files, Handles handles, Owners owners) {
        this.tree = tree;
        this.files = files;
        this.handles = handles;
        this.owners = owners;
    }

    FuseAnswer get(FuseRequest request) throws ErrnoException {
        var flags = request.u32();
        request.skip(4);
        var id = request.u64();
        if ((flags & GETATTR_FH) != 0) {
            try (var open = handles.use(id)) {
                if (open != null) {
                    return attributes(open.file().stat());
                }
            }
        }
        try (var found = tree.at(request.node())) {
            return attributes(found.stat());
        }
    }

    private FuseAnswer attributes(FileStat stat) {
        return FuseAnswer.ofAtMost(16 + FuseAnswer.ATTRIBUTES).validAttributes(stat, owners);
    }

    /** struct fuse_setattr_in. */
    FuseAnswer set(FuseRequest request) throws ErrnoException {
        var change = Change.of(request);
        try (var found = tree.at(request.node())) {
            if (change.has(SIZE)) {
                resize(found, change);
            }
            if (change.has(UID) || change.has(GID)) {
                found.place()
                        .chown(
                                change.has(UID) ? owners.hostUser(change.uid()) : UNCHANGED,
                                change.has(GID) ? owners.hostGroup(change.gid()) : UNCHANGED);
            }
            if (change.has(MODE)) {
                found.place().chmod(change.mode() & PERMISSIONS);
            }
            if (change.has(ATIME) || change.has(MTIME)) {
                found.place().times(change.accessed(), change.modified());
            }
            return attributes(found.place().stat());
        }
    }

    private void resize(ShareTree.Found found, Change change) throws ErrnoException {
        if (!found.stat().is(FileStat.REGULAR)) {
            throw new ErrnoException(ErrnoException.EINVAL);
        }
        found.node().cached = null;
        if (change.has(FH)) {
            try (var open = files.use(change.handle(), found.node().id(), OpenFlags.WRITE)) {
                open.file().truncate(change.size());
            }
        } else {
            try (var file = found.place().open(OpenFlags.WRITE)) {
                file.truncate(change.size());
            }
        }
    }

    private record Change(
            int valid,
            long handle,
            long size,
            FileStat.Time accessed,
            FileStat.Time modified,
            int mode,
            int uid,
            int gid) {
        static Change of(FuseRequest in) throws ErrnoException {
            var valid = in.u32();
            in.skip(4);
            var handle = in.u64();
            var size = in.u64();
            in.skip(8);
            var atime = in.u64();
            var mtime = in.u64();
            in.skip(8);
            var atimeNanos = in.u32();
            var mtimeNanos = in.u32();
            in.skip(4);
            var mode = in.u32();
            in.skip(4);
            return new Change(
                    valid,
                    handle,
                    size,
                    time(valid, ATIME, ATIME_NOW, atime, atimeNanos),
                    time(valid, MTIME, MTIME_NOW, mtime, mtimeNanos),
                    mode,
                    in.u32(),
                    in.u32());
        }

        /** Now is the host's, who may have another clock than the guest. */
        private static FileStat.Time time(int valid, int set, int now, long seconds, int nanos) {
            if ((valid & set) == 0) {
                return new FileStat.Time(0, Place.UNCHANGED);
            }
            return (valid & now) != 0
                    ? new FileStat.Time(0, Place.NOW)
                    : new FileStat.Time(seconds, nanos);
        }

        boolean has(int bit) {
            return (valid & bit) != 0;
        }
    }

    FuseAnswer space(FuseRequest request) throws ErrnoException {
        try (var found = tree.at(request.node())) {
            return FuseAnswer.ofAtMost(80).space(found.place().space());
        }
    }

    /** struct fuse_getxattr_in; a size of 0 asks how long it is. */
    FuseAnswer getExtended(FuseRequest request) throws ErrnoException {
        var size = request.size();
        request.skip(4);
        var name = request.text(255);
        if (!passed(name, false)) {
            throw new ErrnoException(ErrnoException.ENODATA);
        }
        try (var found = tree.at(request.node())) {
            return sized(found.place().attribute(name, MOST_BYTES), size);
        }
    }

    FuseAnswer listExtended(FuseRequest request) throws ErrnoException {
        var size = request.size();
        try (var found = tree.at(request.node())) {
            return sized(passedNames(found.place().attributeNames(MOST_BYTES)), size);
        }
    }

    private static FuseAnswer sized(byte[] value, int size) throws ErrnoException {
        if (size == 0) {
            return FuseAnswer.ofAtMost(8).u32(value.length).u32(0);
        }
        if (value.length > size) {
            throw new ErrnoException(ERANGE);
        }
        return FuseAnswer.ofAtMost(value.length).data(value);
    }

    /** struct fuse_setxattr_in, name and value. */
    FuseAnswer setExtended(FuseRequest request) throws ErrnoException {
        var size = request.size();
        var flags = request.u32();
        var name = request.text(255);
        if (size > MOST_BYTES || (flags & ~3) != 0) {
            throw new ErrnoException(ErrnoException.EINVAL);
        }
        var value = new byte[size];
        request.data(size).get(value);
        check(name);
        try (var found = tree.at(request.node())) {
            found.place().setAttribute(name, value, flags);
            return FuseAnswer.empty();
        }
    }

    FuseAnswer removeExtended(FuseRequest request) throws ErrnoException {
        var name = request.text(255);
        check(name);
        try (var found = tree.at(request.node())) {
            found.place().removeAttribute(name);
            return FuseAnswer.empty();
        }
    }

    private static void check(byte[] name) throws ErrnoException {
        if (!passed(name, true)) {
            throw new ErrnoException(ErrnoException.EOPNOTSUPP);
        }
    }

    /** What users and images put on files. Labels of the host's security modules are its own. */
    private static boolean passed(byte[] name, boolean setting) {
        var text = new String(name, StandardCharsets.ISO_8859_1);
        return (text.startsWith("user.") && text.length() > 5)
                || text.equals("security.capability")
                || (!setting && text.startsWith("trusted.overlay."));
    }

    private static byte[] passedNames(byte[] names) {
        var passed = new byte[names.length];
        var length = 0;
        for (int at = 0; at < names.length; ) {
            var end = at;
            while (end < names.length && names[end] != 0) {
                end++;
            }
            if (passed(Arrays.copyOfRange(names, at, end), false)) {
                System.arraycopy(names, at, passed, length, end - at);
                length += end - at + 1;
            }
            at = end + 1;
        }
        return Arrays.copyOf(passed, length);
    }
}
