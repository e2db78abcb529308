package podvm.image.layer;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import podvm.image.content.BulkStream;
import podvm.image.content.Refusal;

/**
 * The stream of a tar, which does not go on for ever: headers that describe nothing, and padding,
 * cost no place on the disk and would pass its limit unseen.
 */
final class BoundedTar extends BulkStream {
    private final InputStream in;

    /** For the headers of one entry; those of a real one are 512 bytes to 2 KiB. */
    private static final long HEADERS = 4 << 10;

    private final LayerLimits limits;
    private long left;

    BoundedTar(InputStream in, LayerLimits limits) {
        this.in = in;
        this.limits = limits;
        this.left = limits.bytes() + HEADERS * limits.entries();
    }

    /** Reads to the end of the stream what follows the end of the archive: zeros, or nothing. */
    void readPadding() throws IOException {
        var piece = new byte[64 << 10];
        var zeros = new byte[piece.length];
        for (int got = read(piece, 0, piece.length); got >= 0; got = read(piece, 0, piece.length)) {
            if (!Arrays.equals(piece, 0, got, zeros, 0, got)) {
                throw Refusal.corrupt("tar is followed by something else");
            }
        }
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        int got = in.read(target, from, length);
        count(got);
        return got;
    }

    @Override
    public long skip(long wanted) throws IOException {
        long skipped = in.skip(wanted);
        count(skipped);
        return skipped;
    }

    private void count(long got) throws IOException {
        left -= Math.max(0, got);
        if (left < 0) {
            throw LayerWriter.tooLarge(limits.bytes());
        }
    }
}
