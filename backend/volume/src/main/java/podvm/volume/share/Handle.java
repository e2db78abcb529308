package podvm.volume.share;

import java.util.concurrent.atomic.AtomicInteger;
import podvm.linux.ErrnoException;
import podvm.linux.OpenFile;

/**
 * A file that the guest has open. It is closed when the last request that uses it is done: a guest
 * that releases what it still reads must not reach whatever gets the descriptor's number next.
 */
final class Handle implements AutoCloseable {
    /** EBADF, as read(2) has it. */
    private static final int EBADF = 9;

    private final Node node;
    private final OpenFile file;

    /** One for being open, and one for each request. */
    private final AtomicInteger users = new AtomicInteger(1);

    Handle(Node node, OpenFile file) {
        this.node = node;
        this.file = file;
    }

    Node node() {
        return node;
    }

    OpenFile file() {
        return file;
    }

    /** For one request, which closes it. */
    Handle use() throws ErrnoException {
        if (users.getAndUpdate(count -> count == 0 ? 0 : count + 1) == 0) {
            throw new ErrnoException(EBADF);
        }
        return this;
    }

    @Override
    public void close() {
        if (users.decrementAndGet() == 0) {
            file.close();
        }
    }
}
