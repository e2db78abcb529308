package podvm.volume.share;

import podvm.linux.ErrnoException;
import podvm.linux.FileStat;
import podvm.linux.OpenFile;
import podvm.linux.OpenFlags;

/** Requests about the contents of directories. */
final class Directories {
    /** What one request reads: a guest that asks for more comes again. */
    private static final int MOST_BYTES = 64 << 10;

    private final ShareTree tree;
    private final Files files;
    private final Handles handles;
    private final Owners owners;

    Directories(ShareTree tree, Files files, Handles handles, Owners owners) {
        this.tree = tree;
        this.files = files;
        this.handles = handles;
        this.owners = owners;
    }

    FuseAnswer open(FuseRequest request) throws ErrnoException {
        try (var found = tree.at(request.node())) {
            if (!found.stat().is(FileStat.DIRECTORY)) {
                throw new ErrnoException(ErrnoException.ENOTDIR);
            }
            var file = found.place().open(OpenFlags.DIRECTORY);
            var handle = handles.add(found.node(), file);
            return FuseAnswer.ofAtMost(16).u64(handle).u32(0).u32(0);
        }
    }

    /** struct fuse_read_in; an entry that has no room comes with the next request. */
    FuseAnswer read(FuseRequest request) throws ErrnoException {
        var handle = request.u64();
        var from = request.u64();
        var size = Math.min(Files.bounded(request.size()), MOST_BYTES);
        var plus = request.opcode() == Opcode.READDIRPLUS;
        var answer = FuseAnswer.ofAtMost(size);
        try (var open = files.use(handle, request.node(), 0)) {
            for (var entry : entries(open, from, size)) {
                var room = FuseAnswer.directoryEntryBytes(entry.name());
                if (answer.room() < room + (plus ? FuseAnswer.ENTRY : 0)) {
                    if (answer.hasBody()) {
                        return answer;
                    }
                    // the guest's buffer holds not even one name
                    throw new ErrnoException(ErrnoException.EINVAL);
                }
                if (plus) {
                    tell(answer, open.node(), entry.name());
                }
                answer.directoryEntry(entry.inode(), entry.next(), entry.type(), entry.name());
            }
            return answer;
        }
    }

    /** One at a time: where an open directory is being read is a part of it. */
    private static Iterable<OpenFile.Entry> entries(Handle open, long from, int size)
            throws ErrnoException {
        synchronized (open) {
            return open.file().entries(from, Math.max(1024, size));
        }
    }

    /** A name that is gone, or not to be looked at, is told without more. */
    private void tell(FuseAnswer answer, Node directory, byte[] name) throws ErrnoException {
        var dots = name[0] == '.' && (name.length == 1 || (name.length == 2 && name[1] == '.'));
        if (!dots) {
            try (var at = tree.at(directory);
                    var found = tree.tell(at, name)) {
                answer.entry(found.node().id(), found.stat(), owners);
                return;
            } catch (ErrnoException e) {
                // as below
            }
        }
        answer.noEntry();
    }
}
