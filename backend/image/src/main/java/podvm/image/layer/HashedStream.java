package podvm.image.layer;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import podvm.engine.Digest;
import podvm.image.Sha256;

/** Hashes all that passes, also what is skipped, which the JDK's stream of this kind leaves out. */
public final class HashedStream extends FilterInputStream {
    private final MessageDigest hash = Sha256.begin();
    private final byte[] skipped = new byte[8 << 10];

    public HashedStream(InputStream in) {
        super(in);
    }

    /** Of what has passed; to be called once, at the end. */
    public Digest digest() {
        return Sha256.end(hash);
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        int got = in.read(target, from, length);
        hash.update(target, from, Math.max(0, got));
        return got;
    }

    @Override
    public long skip(long count) throws IOException {
        int wanted = (int) Math.min(Math.max(0, count), skipped.length);
        return Math.max(0, read(skipped, 0, wanted));
    }

    @Override
    public boolean markSupported() {
        return false;
    }
}
