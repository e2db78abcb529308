package podvm.image.layer;

import java.io.IOException;
import podvm.image.content.BulkStream;

/** A stream whose bytes become ready by pieces, in an array from which they are copied. */
abstract class ReadyPieces extends BulkStream {
    byte[] ready = {};
    int at;
    int end;

    /** Makes bytes ready where there are none; false at the end of the stream. */
    abstract boolean hasMore() throws IOException;

    @Override
    public final int read(byte[] target, int from, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (!hasMore()) {
            return -1;
        }
        int count = Math.min(length, end - at);
        System.arraycopy(ready, at, target, from, count);
        at += count;
        return count;
    }

    @Override
    public final long skip(long count) throws IOException {
        if (count <= 0 || !hasMore()) {
            return 0;
        }
        int skipped = (int) Math.min(count, end - at);
        at += skipped;
        return skipped;
    }
}
