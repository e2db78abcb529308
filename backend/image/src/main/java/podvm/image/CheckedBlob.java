package podvm.image;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import podvm.engine.Digest;

/** Checks length and digest of a blob while it passes. */
final class CheckedBlob extends FilterInputStream {
    private final Descriptor expected;
    private final MessageDigest hash = Sha256.begin();
    private long count;

    CheckedBlob(InputStream in, Descriptor expected) {
        super(in);
        this.expected = expected;
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
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
        if (count > expected.size()) {
            throw Refusal.corrupt(
                    "blob %s has more than its %d bytes"
                            .formatted(expected.digest(), expected.size()));
        }
        return got;
    }

    @Override
    public long skip(long wanted) throws IOException {
        throw new UnsupportedOperationException("what is skipped is not checked");
    }

    @Override
    public boolean markSupported() {
        return false;
    }

    private void checkEnd() throws IOException {
        if (count < expected.size()) {
            throw Refusal.corrupt(
                    "blob %s ends after %d of %d bytes"
                            .formatted(expected.digest(), count, expected.size()));
        }
        Digest actual = Sha256.end(copyOf(hash));
        if (!actual.equals(expected.digest())) {
            throw Refusal.corrupt(
                    "blob has digest %s, expected %s".formatted(actual, expected.digest()));
        }
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
