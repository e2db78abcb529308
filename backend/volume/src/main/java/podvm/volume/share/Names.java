package podvm.volume.share;

import org.jspecify.annotations.Nullable;
import podvm.linux.ErrnoException;
import podvm.linux.FileStat;
import podvm.linux.OpenFile;
import podvm.linux.OpenFlags;
import podvm.linux.Place;

/**
 * Requests about names in directories. One that is asked again finds its work done where an earlier
 * server did it, and answers as that one would have.
 */
final class Names {
    private static final int PERMISSIONS = 07777;
    private static final int SETGID = 02000;

    /** WHITEOUT is not among them: it leaves a device file. */
    private static final int RENAME_FLAGS = Place.RENAME_NOREPLACE | Place.RENAME_EXCHANGE;

    private final ShareTree tree;
    private final Files files;
    private final Owners owners;

    Names(ShareTree tree, Files files, Owners owners) {
        this.tree = tree;
        this.files = files;
        this.owners = owners;
    }

    FuseAnswer lookup(FuseRequest request) throws ErrnoException {
        var name = request.name();
        try (var directory = tree.at(request.node());
                var found = tree.tell(directory, name)) {
            return entry(found);
        }
    }

    private FuseAnswer entry(ShareTree.Found found) {
        return FuseAnswer.ofAtMost(FuseAnswer.ENTRY).entry(found.node().id(), found.stat(), owners);
    }

    FuseAnswer makeDirectory(FuseRequest request, boolean again) throws ErrnoException {
        var mode = request.u32() & PERMISSIONS;
        request.skip(4);
        var name = request.name();
        try (var directory = tree.at(request.node())) {
            var owner = Owner.of(request, directory, owners);
            if (unlessDone(again, () -> directory.place().makeDirectory(name, 0700))) {
                try (var place = directory.place().beneath(name)) {
                    owner.own(place, mode | (directory.stat().mode() & SETGID));
                }
            }
            return told(directory, name);
        }
    }

    FuseAnswer makeNode(FuseRequest request, boolean again) throws ErrnoException {
        var mode = request.u32();
        var device = request.u32();
        request.skip(8);
        var name = request.name();
        checkKind(mode & FileStat.TYPE, device);
        try (var directory = tree.at(request.node())) {
            var owner = Owner.of(request, directory, owners);
            var bare = (mode & FileStat.TYPE) | 0600;
            if (unlessDone(again, () -> directory.place().makeNode(name, bare, 0))) {
                try (var place = directory.place().beneath(name)) {
                    owner.own(place, mode & PERMISSIONS);
                }
            }
            return told(directory, name);
        }
    }

    /**
     * A device file on the host would give whoever opens it there the host's device. The one with
     * number 0 is none: overlayfs marks removed files with it.
     */
    private static void checkKind(int kind, int device) throws ErrnoException {
        var harmless =
                kind == FileStat.REGULAR
                        || kind == FileStat.FIFO
                        || kind == FileStat.SOCKET
                        || (kind == FileStat.CHARACTER && device == 0);
        if (!harmless) {
            throw new ErrnoException(ErrnoException.EPERM);
        }
    }

    FuseAnswer makeLink(FuseRequest request, boolean again) throws ErrnoException {
        var name = request.name();
        var target = request.text(FuseRequest.MAX_PATH);
        try (var directory = tree.at(request.node())) {
            var owner = Owner.of(request, directory, owners);
            if (unlessDone(again, () -> directory.place().makeLink(name, target))) {
                try (var place = directory.place().beneath(name)) {
                    owner.own(place);
                }
            }
            return told(directory, name);
        }
    }

    FuseAnswer link(FuseRequest request, boolean again) throws ErrnoException {
        var target = request.u64();
        var name = request.name();
        try (var directory = tree.at(request.node());
                var file = tree.at(target)) {
            unlessDone(again, () -> file.place().link(directory.place(), name));
            return told(directory, name);
        }
    }

    FuseAnswer readLink(FuseRequest request) throws ErrnoException {
        try (var link = tree.at(request.node())) {
            if (!link.stat().is(FileStat.SYMLINK)) {
                throw new ErrnoException(ErrnoException.EINVAL);
            }
            var target = link.place().target();
            return FuseAnswer.ofAtMost(target.length).data(target);
        }
    }

    FuseAnswer unlink(FuseRequest request, boolean again) throws ErrnoException {
        var name = request.name();
        try (var directory = tree.at(request.node())) {
            unlessDone(again, () -> directory.place().unlink(name));
            return FuseAnswer.empty();
        }
    }

    FuseAnswer removeDirectory(FuseRequest request, boolean again) throws ErrnoException {
        var name = request.name();
        try (var directory = tree.at(request.node())) {
            unlessDone(again, () -> directory.place().removeDirectory(name));
            return FuseAnswer.empty();
        }
    }

    /** struct fuse_rename_in, and the one with flags. */
    FuseAnswer rename(FuseRequest request, boolean again) throws ErrnoException {
        var target = request.u64();
        var flags = 0;
        if (request.opcode() == Opcode.RENAME2) {
            flags = request.u32();
            request.skip(4);
        }
        if ((flags & ~RENAME_FLAGS) != 0) {
            throw new ErrnoException(ErrnoException.EINVAL);
        }
        var chosen = flags;
        var name = request.name();
        var newName = request.name();
        try (var from = tree.at(request.node());
                var to = tree.at(target)) {
            unlessDone(
                    again && (flags & Place.RENAME_EXCHANGE) == 0,
                    () -> tree.rename(from, name, to, newName, chosen));
            return FuseAnswer.empty();
        }
    }

    /** struct fuse_create_in: makes a file and opens it. */
    FuseAnswer create(FuseRequest request, boolean again) throws ErrnoException {
        var flags = request.u32();
        var mode = request.u32() & PERMISSIONS;
        request.skip(8);
        var name = request.name();
        try (var directory = tree.at(request.node())) {
            var file = made(request, directory, name, flags, mode, again);
            if (file == null) {
                try (var there = tree.tell(directory, name)) {
                    var opened = files.open(there, flags);
                    return opened(there, opened.handle(), opened.flags());
                }
            }
            var registered = false;
            try (var found = tree.tell(directory, name)) {
                registered = true;
                return opened(found, files.opened(found.node(), file), 0);
            } finally {
                if (!registered) {
                    file.close();
                }
            }
        }
    }

    /** Null where the name is taken, and may be. */
    private @Nullable OpenFile made(
            FuseRequest request,
            ShareTree.Found directory,
            byte[] name,
            int flags,
            int mode,
            boolean again)
            throws ErrnoException {
        var owner = Owner.of(request, directory, owners);
        OpenFile file;
        try {
            file = directory.place().create(name, flags & Files.OPEN_FLAGS, 0600);
        } catch (ErrnoException e) {
            if (e.number() == ErrnoException.EEXIST
                    && (again || (flags & OpenFlags.EXCLUSIVE) == 0)) {
                return null;
            }
            throw e;
        }
        var owned = false;
        try (var place = file.place()) {
            owner.own(place, mode);
            owned = true;
        } finally {
            if (!owned) {
                file.close();
            }
        }
        return file;
    }

    private FuseAnswer opened(ShareTree.Found found, long handle, int flags) {
        return FuseAnswer.ofAtMost(FuseAnswer.ENTRY + 16)
                .entry(found.node().id(), found.stat(), owners)
                .u64(handle)
                .u32(flags)
                .u32(0);
    }

    private FuseAnswer told(ShareTree.Found directory, byte[] name) throws ErrnoException {
        try (var found = tree.tell(directory, name)) {
            return entry(found);
        }
    }

    @FunctionalInterface
    private interface Work {
        void run() throws ErrnoException;
    }

    /** Whether it was done now; errors that say that it was done before count as such. */
    private static boolean unlessDone(boolean again, Work work) throws ErrnoException {
        try {
            work.run();
            return true;
        } catch (ErrnoException e) {
            var done = e.number() == ErrnoException.EEXIST || e.number() == ErrnoException.ENOENT;
            if (again && done) {
                return false;
            }
            throw e;
        }
    }

    /** Whose a new file is: the caller's, or of its directory's group where that is the rule. */
    private record Owner(int uid, int gid) {
        static Owner of(FuseRequest request, ShareTree.Found directory, Owners owners)
                throws ErrnoException {
            var inherits = (directory.stat().mode() & SETGID) != 0;
            return new Owner(
                    owners.hostUser(request.uid()),
                    inherits ? directory.stat().gid() : owners.hostGroup(request.gid()));
        }

        /** The mode last: giving a file away takes bits from it. */
        void own(Place place, int mode) throws ErrnoException {
            own(place);
            place.chmod(mode);
        }

        void own(Place place) throws ErrnoException {
            place.chown(uid, gid);
        }
    }
}
