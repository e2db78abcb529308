package podvm.image.layer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;

/** Writes a file from front to back in large pieces and knows on which 4 KiB block it stands. */
final class BlockOutput {
    static final int BLOCK = 4096;
    private static final int BUFFER = 1 << 20;

    private final FileChannel file;
    private final byte[] bytes = new byte[BUFFER];
    private final ByteBuffer buffer = ByteBuffer.wrap(bytes);
    private final long largest;
    private long flushed;
    private int at;

    /**
     * @param largest bytes that the file may have
     */
    BlockOutput(FileChannel file, long largest) {
        this.file = file;
        this.largest = largest;
    }

    long position() {
        return flushed + at;
    }

    int block() {
        return (int) (position() / BLOCK);
    }

    /** Room for data at {@link #from}, at least one byte; {@link #wrote} takes it. */
    int room() throws IOException {
        if (at == BUFFER) {
            flush();
        }
        return BUFFER - at;
    }

    byte[] bytes() {
        return bytes;
    }

    int from() {
        return at;
    }

    void wrote(int count) {
        at += count;
    }

    void write(byte[] data, int from, int length) throws IOException {
        int done = 0;
        while (done < length) {
            int part = Math.min(room(), length - done);
            System.arraycopy(data, from + done, bytes, at, part);
            at += part;
            done += part;
        }
    }

    /** Leaves a hole, which takes no space on the host and reads as zeros. */
    void skip(long count) throws IOException {
        if (count > largest - position()) {
            throw LayerWriter.tooLarge(largest);
        }
        if (count <= BUFFER - at) {
            Arrays.fill(bytes, at, at + (int) count, (byte) 0);
            at += (int) count;
            return;
        }
        flush();
        flushed += count;
    }

    void align() throws IOException {
        skip(-position() & (BLOCK - 1));
    }

    void flush() throws IOException {
        if (flushed + at > largest) {
            throw LayerWriter.tooLarge(largest);
        }
        buffer.limit(at).position(0);
        while (buffer.hasRemaining()) {
            file.write(buffer, flushed + buffer.position());
        }
        flushed += at;
        at = 0;
    }
}
