package podvm.cli.wire;

import java.util.ArrayDeque;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Cuts a stream of bytes into gRPC's messages. */
final class Messages {
    /** The server sends nothing larger; a liar shall not fill our memory. */
    static final int LARGEST = 16 << 20;

    private static final int PREFIX = 5;

    private final ArrayDeque<byte[]> ready = new ArrayDeque<>();
    private byte[] buffer = new byte[1024];
    private int filled;

    void add(byte[] bytes, int from, int to) throws WireException {
        var length = to - from;
        if (buffer.length - filled < length) {
            buffer = Arrays.copyOf(buffer, Math.max(2 * buffer.length, filled + length));
        }
        System.arraycopy(bytes, from, buffer, filled, length);
        filled += length;
        cut();
    }

    private void cut() throws WireException {
        var at = 0;
        while (filled - at >= PREFIX) {
            if (buffer[at] != 0) {
                throw new WireException("a message is compressed, which we did not offer");
            }
            var length = number(at + 1);
            if (length < 0 || length > LARGEST) {
                throw new WireException("a message is larger than 16 MiB");
            }
            if (filled - at - PREFIX < length) {
                break;
            }
            ready.add(Arrays.copyOfRange(buffer, at + PREFIX, at + PREFIX + length));
            at += PREFIX + length;
        }
        System.arraycopy(buffer, at, buffer, 0, filled - at);
        filled -= at;
    }

    private int number(int at) {
        return (buffer[at] & 0xff) << 24
                | (buffer[at + 1] & 0xff) << 16
                | (buffer[at + 2] & 0xff) << 8
                | (buffer[at + 3] & 0xff);
    }

    byte @Nullable [] poll() {
        return ready.poll();
    }

    /** Whether the stream may end here. */
    boolean whole() {
        return filled == 0;
    }

    static byte[] prefixed(byte[] message) {
        var framed = new byte[PREFIX + message.length];
        framed[1] = (byte) (message.length >> 24);
        framed[2] = (byte) (message.length >> 16);
        framed[3] = (byte) (message.length >> 8);
        framed[4] = (byte) message.length;
        System.arraycopy(message, 0, framed, PREFIX, message.length);
        return framed;
    }
}
