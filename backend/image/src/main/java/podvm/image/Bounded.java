package podvm.image;

import java.io.IOException;
import java.io.InputStream;
import podvm.image.content.BulkStream;

/** The first bytes of a stream. */
final class Bounded extends BulkStream {
    private final InputStream in;
    private long left;

    Bounded(InputStream in, long bytes) {
        this.in = in;
        this.left = bytes;
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        if (left == 0) {
            return -1;
        }
        int got = in.read(target, from, (int) Math.min(left, length));
        left -= Math.max(0, got);
        return got;
    }

    @Override
    public long skip(long count) throws IOException {
        long skipped = in.skip(Math.min(left, count));
        left -= skipped;
        return skipped;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
