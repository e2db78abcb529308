package podvm.image.layer;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Sends a file to the disk while it is still being written, so that the sync at its end finds
 * little left to do. Closing it tells a failure, since the kernel reports one only once.
 */
public final class EarlySync implements AutoCloseable {
    private static final long STEP = 32 << 20;
    private static final long PAUSE_MILLIS = 50;

    private final FileChannel file;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final HelperThread thread;
    private volatile @Nullable IOException failure;

    public EarlySync(FileChannel file) {
        this.file = file;
        this.thread = HelperThread.start("sync layer", this::run);
    }

    /** Waits for the sync that runs; it is not interrupted, which would close the file. */
    @Override
    public void close() throws IOException {
        ended.countDown();
        thread.awaitEnd();
        var found = failure;
        if (found != null) {
            throw found;
        }
    }

    private void run() {
        long synced = 0;
        try {
            while (!ended.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS)) {
                long size = file.size();
                if (size - synced >= STEP) {
                    file.force(false);
                    synced = size;
                }
            }
        } catch (IOException e) {
            failure = e;
        } catch (InterruptedException e) {
            // nobody does; the sync at the end does it all then
            return;
        }
    }
}
