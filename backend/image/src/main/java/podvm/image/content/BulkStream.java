package podvm.image.content;

import java.io.IOException;
import java.io.InputStream;

/** A stream that is read by pieces; one byte is the smallest. What is skipped is read as well. */
public abstract class BulkStream extends InputStream {
    @Override
    public final int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public abstract int read(byte[] target, int from, int length) throws IOException;
}
