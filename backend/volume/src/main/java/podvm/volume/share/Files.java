package podvm.volume.share;

import podvm.linux.ErrnoException;
import podvm.linux.FileStat;
import podvm.linux.OpenFile;
import podvm.linux.OpenFlags;

/** Requests about open files. One that an earlier server had open is opened again by its node. */
final class Files {
    /**
     * What is passed on of a guest's flags. Others are the business of its kernel, or would make
     * opening wait or have effects.
     */
    static final int OPEN_FLAGS = OpenFlags.ACCESS | OpenFlags.APPEND | OpenFlags.TRUNCATE;

    private static final int KEEP_CACHE = 1 << 1;
    private static final int DATA_ONLY = 1;

    /** A server that copied for minutes could not be told to stop. */
    private static final long MOST_COPIED = 64 << 20;

    private final ShareTree tree;
    private final NodeTable nodes;
    private final Handles handles;
    private final boolean readOnly;

    Files(ShareTree tree, NodeTable nodes, Handles handles, boolean readOnly) {
        this.tree = tree;
        this.nodes = nodes;
        this.handles = handles;
        this.readOnly = readOnly;
    }

    record Opened(long handle, int flags) {}

    FuseAnswer open(FuseRequest request) throws ErrnoException {
        var flags = request.u32();
        try (var found = tree.at(request.node())) {
            var opened = open(found, flags);
            return FuseAnswer.ofAtMost(16).u64(opened.handle()).u32(opened.flags()).u32(0);
        }
    }

    Opened open(ShareTree.Found found, int flags) throws ErrnoException {
        if (!found.stat().is(FileStat.REGULAR)) {
            throw new ErrnoException(ErrnoException.EPERM);
        }
        if (readOnly && writes(flags)) {
            throw new ErrnoException(ErrnoException.EROFS);
        }
        var file = found.place().open(flags & OPEN_FLAGS);
        return new Opened(opened(found.node(), file), keep(found, flags) ? KEEP_CACHE : 0);
    }

    long opened(Node node, OpenFile file) throws ErrnoException {
        return handles.add(node, file);
    }

    static boolean writes(int flags) {
        return (flags & OpenFlags.ACCESS) != OpenFlags.READ || (flags & OpenFlags.TRUNCATE) != 0;
    }

    /** Whether what the guest has cached of the file is what it holds. */
    private static boolean keep(ShareTree.Found found, int flags) {
        var now = Freshness.Stamp.of(found.stat());
        var before = found.node().cached;
        found.node().cached = now.settled() && !writes(flags) ? now : null;
        return now.equals(before) && found.node().cached != null;
    }

    /** struct fuse_read_in. */
    FuseAnswer read(FuseRequest request) throws ErrnoException {
        var handle = request.u64();
        var offset = request.offset();
        var size = bounded(request.size());
        try (var open = use(handle, request.node(), 0)) {
            return FuseAnswer.of(open.file().read(offset, size, FuseAnswer.HEADER));
        }
    }

    static int bounded(int size) throws ErrnoException {
        if (size > Negotiation.MOST_BYTES) {
            throw new ErrnoException(ErrnoException.EINVAL);
        }
        return size;
    }

    /** struct fuse_write_in and the data. */
    FuseAnswer write(FuseRequest request) throws ErrnoException {
        var handle = request.u64();
        var offset = request.offset();
        var size = bounded(request.size());
        request.skip(12);
        var flags = request.u32();
        request.skip(4);
        var data = request.data(size);
        try (var open = use(handle, request.node(), flags)) {
            open.node().cached = null;
            var written = 0;
            while (written < size) {
                // a network file system may take less at once; the guest would call that an error
                var now = open.file().write(data.slice(written, size - written), offset + written);
                if (now == 0) {
                    break;
                }
                written += now;
            }
            return FuseAnswer.ofAtMost(8).u32(written).u32(0);
        }
    }

    FuseAnswer sync(FuseRequest request) throws ErrnoException {
        var handle = request.u64();
        var flags = request.u32();
        try (var open = use(handle, request.node(), 0)) {
            open.file().sync((flags & DATA_ONLY) != 0);
            return FuseAnswer.empty();
        }
    }

    FuseAnswer allocate(FuseRequest request) throws ErrnoException {
        var handle = request.u64();
        var offset = request.offset();
        var length = request.offset();
        var mode = request.u32();
        try (var open = use(handle, request.node(), 0)) {
            open.node().cached = null;
            open.file().allocate(mode, offset, length);
            return FuseAnswer.empty();
        }
    }

    /** Where data or a hole begins. */
    FuseAnswer seek(FuseRequest request) throws ErrnoException {
        var handle = request.u64();
        var offset = request.offset();
        var whence = request.u32();
        try (var open = use(handle, request.node(), 0)) {
            return FuseAnswer.ofAtMost(8).u64(open.file().seek(offset, whence));
        }
    }

    /** struct fuse_copy_file_range_in. */
    FuseAnswer copy(FuseRequest request) throws ErrnoException {
        var from = request.u64();
        var fromOffset = request.offset();
        var toNode = request.u64();
        var to = request.u64();
        var toOffset = request.offset();
        var length = Math.min(request.offset(), MOST_COPIED);
        try (var source = use(from, request.node(), 0);
                var target = use(to, toNode, 0)) {
            target.node().cached = null;
            var copied = source.file().copyTo(target.file(), fromOffset, toOffset, length);
            return FuseAnswer.ofAtMost(8).u32((int) copied).u32(0);
        }
    }

    FuseAnswer release(FuseRequest request) throws ErrnoException {
        handles.release(request.u64());
        return FuseAnswer.empty();
    }

    /**
     * @param flags with which the guest has it open, where the request tells
     */
    Handle use(long handle, long node, int flags) throws ErrnoException {
        var open = handles.use(handle);
        return open != null ? open : restored(handle, nodes.get(node), flags);
    }

    private Handle restored(long handle, Node node, int flags) throws ErrnoException {
        try (var found = tree.at(node)) {
            if (found.stat().is(FileStat.DIRECTORY)) {
                return handles.restore(handle, node, found.place().open(OpenFlags.DIRECTORY));
            }
            if (!found.stat().is(FileStat.REGULAR)) {
                throw new ErrnoException(ErrnoException.EPERM);
            }
            return handles.restore(handle, node, widest(found, flags & OpenFlags.APPEND));
        }
    }

    /** For both ways where that is possible: few requests say what the guest has opened it for. */
    private OpenFile widest(ShareTree.Found found, int flags) throws ErrnoException {
        if (!readOnly) {
            try {
                return found.place().open(OpenFlags.READ_WRITE | flags);
            } catch (ErrnoException e) {
                // a file that is being executed, or on a file system that takes no writes
            }
        }
        return found.place().open(OpenFlags.READ);
    }
}
