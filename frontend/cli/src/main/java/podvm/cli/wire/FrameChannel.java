package podvm.cli.wire;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** Frames on a socket. One thread may read while others write. */
final class FrameChannel implements AutoCloseable {
    /** The least that every peer takes, and so the most that we ask for: RFC 9113, 4.2. */
    static final int LARGEST_PAYLOAD = 16_384;

    private static final int HEADER = 9;

    private final SocketChannel channel;
    private final ByteBuffer in = ByteBuffer.allocateDirect(HEADER + LARGEST_PAYLOAD).flip();
    private final ByteBuffer out = ByteBuffer.allocateDirect(2 * (HEADER + LARGEST_PAYLOAD));

    FrameChannel(SocketChannel channel) {
        this.channel = channel;
    }

    Frame read() throws IOException {
        fill(HEADER);
        var length = (in.getShort() & 0xffff) << 8 | (in.get() & 0xff);
        var type = in.get() & 0xff;
        var flags = in.get() & 0xff;
        var stream = in.getInt() & 0x7fff_ffff;
        if (length > LARGEST_PAYLOAD) {
            throw new WireException("a frame of " + length + " bytes is longer than allowed");
        }
        fill(length);
        var payload = new byte[length];
        in.get(payload);
        return new Frame(type, flags, stream, payload);
    }

    private void fill(int bytes) throws IOException {
        if (in.remaining() >= bytes) {
            return;
        }
        in.compact();
        while (in.position() < bytes) {
            if (channel.read(in) < 0) {
                throw new EOFException("the connection ended");
            }
        }
        in.flip();
    }

    /** Adds to what the next flush sends. */
    synchronized void put(int type, int flags, int stream, byte[] payload) throws IOException {
        put(type, flags, stream, payload, 0, payload.length);
    }

    synchronized void put(int type, int flags, int stream, byte[] payload, int from, int length)
            throws IOException {
        if (out.remaining() < HEADER + length) {
            flush();
        }
        out.putShort((short) (length >> 8));
        out.put((byte) length).put((byte) type).put((byte) flags).putInt(stream);
        out.put(payload, from, length);
    }

    /** Bytes that are no frame: the connection's preface. */
    synchronized void putRaw(byte[] bytes) {
        out.put(bytes);
    }

    synchronized void flush() throws IOException {
        out.flip();
        while (out.hasRemaining()) {
            channel.write(out);
        }
        out.clear();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
