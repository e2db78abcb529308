package podvm.image.content;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import podvm.engine.Digest;

/** Checks length and digest of a blob while it passes. */
public final class CheckedBlob extends BulkStream {
    private final InputStream in;
    private final Digest digest;
    private final long size;
    private final Runnable whenDoubtful;
    private final MessageDigest hash = Sha256.begin();
    private long count;
    private volatile boolean right;

    public CheckedBlob(InputStream in, Digest digest, long size) {
        this(in, digest, size, () -> {});
    }

    /**
     * @param whenDoubtful called at the close of a blob that was wrong or given up before its end
     *     without an interrupt: then what was read was of no use to its reader
     */
    public CheckedBlob(InputStream in, Digest digest, long size, Runnable whenDoubtful) {
        this.in = in;
        this.whenDoubtful = whenDoubtful;
        this.digest = digest;
        this.size = size;
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        int got = in.read(target, from, length);
        if (got < 0) {
            checkEnd();
            return -1;
        }
        hash.update(target, from, got);
        count += got;
        if (count > size) {
            throw Refusal.corrupt("blob %s has more than its %d bytes".formatted(digest, size));
        }
        return got;
    }

    @Override
    public long skip(long wanted) throws IOException {
        throw new UnsupportedOperationException("what is skipped is not checked");
    }

    @Override
    public void close() throws IOException {
        if (!right && !Thread.currentThread().isInterrupted()) {
            whenDoubtful.run();
        }
        in.close();
    }

    private void checkEnd() throws IOException {
        if (count < size) {
            throw Refusal.corrupt(
                    "blob %s ends after %d of %d bytes".formatted(digest, count, size));
        }
        Digest actual = Sha256.end(copyOf(hash));
        if (!actual.equals(digest)) {
            throw Refusal.corrupt("blob has digest %s, expected %s".formatted(actual, digest));
        }
        right = true;
    }

    /** Readers may ask again after the end. */
    private static MessageDigest copyOf(MessageDigest hash) {
        try {
            return (MessageDigest) hash.clone();
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException("the JDK's SHA-256 can be copied", e);
        }
    }
}
