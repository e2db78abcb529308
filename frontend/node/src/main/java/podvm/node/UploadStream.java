package podvm.node;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import podvm.proto.node.v1.LoadImageRequest;

/** The bytes that a client sends, as one stream. */
final class UploadStream extends InputStream {
    private final Inlet<LoadImageRequest> in;
    private InputStream chunk = InputStream.nullInputStream();

    UploadStream(Inlet<LoadImageRequest> in) {
        this.in = in;
    }

    @Override
    public int read() throws IOException {
        return fill() ? chunk.read() : -1;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        return fill() ? chunk.read(into, offset, length) : -1;
    }

    private boolean fill() throws IOException {
        try {
            while (chunk.available() == 0) {
                var next = in.take();
                if (next.isEmpty()) {
                    return false;
                }
                chunk = next.get().getData().newInput();
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("the upload was given up").initCause(e);
        }
    }
}
