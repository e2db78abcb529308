package podvm.volume.share;

import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import podvm.engine.GuestShares.Answers;
import podvm.engine.GuestShares.Server;
import podvm.linux.ErrnoException;

/**
 * Answers the requests of one share. The guest may send anything: each answer is about the share's
 * tree, an error, or none.
 */
final class ShareServer implements Server, AutoCloseable {
    /** How many requests are worked on at once; the next one waits, and with it the guest. */
    private static final int AT_ONCE = 16;

    private static final int BATCH = 16 << 10;

    private static final Set<Integer> WRITING =
            Set.of(
                    Opcode.SETATTR,
                    Opcode.SYMLINK,
                    Opcode.MKNOD,
                    Opcode.MKDIR,
                    Opcode.UNLINK,
                    Opcode.RMDIR,
                    Opcode.RENAME,
                    Opcode.RENAME2,
                    Opcode.LINK,
                    Opcode.WRITE,
                    Opcode.SETXATTR,
                    Opcode.REMOVEXATTR,
                    Opcode.CREATE,
                    Opcode.FALLOCATE,
                    Opcode.COPY_FILE_RANGE);

    private final boolean readOnly;
    private final ShareTree tree;
    private final NodeTable nodes;
    private final Handles handles;
    private final Names names;
    private final Files files;
    private final Directories directories;
    private final Attributes attributes;
    private final Executor workers;
    private final Semaphore permits = new Semaphore(AT_ONCE);

    /**
     * @param workers threads that may wait for disks
     */
    ShareServer(
            boolean readOnly,
            ShareTree tree,
            NodeTable nodes,
            Handles handles,
            Owners owners,
            Executor workers) {
        this.readOnly = readOnly;
        this.tree = tree;
        this.nodes = nodes;
        this.handles = handles;
        this.workers = workers;
        files = new Files(tree, nodes, handles, readOnly);
        names = new Names(tree, files, owners);
        directories = new Directories(tree, files, handles, owners);
        attributes = new Attributes(tree, files, handles, owners);
    }

    @Override
    public void request(ByteBuffer message, boolean again, Answers answers)
            throws InterruptedException {
        var parsed = FuseRequest.parse(message);
        if (parsed.isEmpty()) {
            return;
        }
        var request = parsed.get();
        switch (request.opcode()) {
            case Opcode.FORGET, Opcode.BATCH_FORGET -> forget(request);
            // what is being done cannot be undone half-way, and takes no longer than a disk does
            case Opcode.INTERRUPT, Opcode.DESTROY -> {}
            default -> {
                permits.acquire();
                workers.execute(() -> work(request, again, answers));
            }
        }
    }

    private void work(FuseRequest request, boolean again, Answers answers) {
        // a bug must not leave the guest waiting
        var answer = FuseAnswer.error(request.unique(), ErrnoException.EIO);
        try {
            answer = answer(request, again);
        } finally {
            try {
                answers.send(answer);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                permits.release();
            }
        }
    }

    byte[] answer(FuseRequest request, boolean again) {
        try {
            if (readOnly && WRITING.contains(request.opcode())) {
                throw new ErrnoException(ErrnoException.EROFS);
            }
            return choose(request, again).finish(request.unique());
        } catch (ErrnoException e) {
            return FuseAnswer.error(request.unique(), e.number());
        }
    }

    private FuseAnswer choose(FuseRequest request, boolean again) throws ErrnoException {
        return switch (request.opcode()) {
            case Opcode.INIT -> Negotiation.answer(request);
            case Opcode.LOOKUP -> names.lookup(request);
            case Opcode.GETATTR -> attributes.get(request);
            case Opcode.SETATTR -> attributes.set(request);
            case Opcode.READLINK -> names.readLink(request);
            case Opcode.SYMLINK -> names.makeLink(request, again);
            case Opcode.MKNOD -> names.makeNode(request, again);
            case Opcode.MKDIR -> names.makeDirectory(request, again);
            case Opcode.UNLINK -> names.unlink(request, again);
            case Opcode.RMDIR -> names.removeDirectory(request, again);
            case Opcode.RENAME, Opcode.RENAME2 -> names.rename(request, again);
            case Opcode.LINK -> names.link(request, again);
            case Opcode.OPEN -> files.open(request);
            case Opcode.READ -> files.read(request);
            case Opcode.WRITE -> files.write(request);
            case Opcode.STATFS -> attributes.space(request);
            case Opcode.RELEASE, Opcode.RELEASEDIR -> files.release(request);
            case Opcode.FSYNC, Opcode.FSYNCDIR -> files.sync(request);
            case Opcode.SETXATTR -> attributes.setExtended(request);
            case Opcode.GETXATTR -> attributes.getExtended(request);
            case Opcode.LISTXATTR -> attributes.listExtended(request);
            case Opcode.REMOVEXATTR -> attributes.removeExtended(request);
            case Opcode.OPENDIR -> directories.open(request);
            case Opcode.READDIR, Opcode.READDIRPLUS -> directories.read(request);
            case Opcode.CREATE -> names.create(request, again);
            case Opcode.FALLOCATE -> files.allocate(request);
            case Opcode.LSEEK -> files.seek(request);
            case Opcode.COPY_FILE_RANGE -> files.copy(request);
            case Opcode.IOCTL -> throw new ErrnoException(ErrnoException.ENOTTY);
            // FLUSH too: each write has been answered when the file is closed. Locks and ACCESS
            // are for the guest's kernel.
            default -> throw new ErrnoException(ErrnoException.ENOSYS);
        };
    }

    /** struct fuse_forget_in, or fuse_batch_forget_in with pairs of node and count. */
    private void forget(FuseRequest request) {
        try {
            if (request.opcode() == Opcode.FORGET) {
                nodes.forget(request.node(), request.u64());
                return;
            }
            var count = Math.min(request.size(), BATCH);
            request.skip(4);
            for (var i = 0; i < count; i++) {
                nodes.forget(request.u64(), request.u64());
            }
        } catch (ErrnoException e) {
            // shorter than it says; nobody waits for an answer
        }
    }

    /** Waits a moment for requests that are being worked on; one that hangs ends later, alone. */
    @Override
    public void close() {
        nodes.stopWriting();
        var patience = 2;
        var interrupted = Thread.interrupted();
        try {
            if (permits.tryAcquire(AT_ONCE, patience, TimeUnit.SECONDS)) {
                end();
                return;
            }
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        Thread.ofVirtual()
                .name("share-end")
                .start(() -> {
                    permits.acquireUninterruptibly(AT_ONCE);
                    end();
                });
    }

    /** All permits stay taken, so that nobody reaches for what is closed. */
    private void end() {
        handles.closeAll();
        tree.close();
    }
}
