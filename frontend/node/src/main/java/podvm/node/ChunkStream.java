package podvm.node;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.OutputStream;
import java.util.function.Function;

/** Bytes as messages of a call, none large; what is small waits for more or for the end. */
final class ChunkStream<T> extends OutputStream {
    private static final int CHUNK = 64 << 10;

    private final Outlet<T> out;
    private final Function<ByteString, T> message;
    private final byte[] buffer = new byte[CHUNK];
    private int filled;

    ChunkStream(Outlet<T> out, Function<ByteString, T> message) {
        this.out = out;
        this.message = message;
    }

    @Override
    public void write(int one) throws IOException {
        write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] from, int offset, int length) throws IOException {
        for (int done = 0; done < length; ) {
            int part = Math.min(CHUNK - filled, length - done);
            System.arraycopy(from, offset + done, buffer, filled, part);
            filled += part;
            done += part;
            if (filled == CHUNK) {
                send();
            }
        }
    }

    /** At the end; flushes in between would only make small messages. */
    void finish() throws IOException {
        if (filled > 0) {
            send();
        }
    }

    private void send() throws IOException {
        out.send(message.apply(ByteString.copyFrom(buffer, 0, filled)));
        filled = 0;
    }
}
