package podvm.image.layer;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import podvm.image.content.Refusal;

/**
 * Packed bytes in an array that a decoder may read ahead in without asking for each: after the last
 * byte of the stream stand zeros, and whoever used one of them has gone too far.
 */
final class PackedInput {
    /** What {@link #ahead} promises at least: more than the header of a deflate block takes. */
    static final int AHEAD = 1024;

    private static final int BUFFER = 256 << 10;

    /** What a decoder may have taken and still give back: all that its bits hold. */
    private static final int BACK = 8;

    private final InputStream in;
    private final byte[] bytes = new byte[BUFFER + AHEAD];
    private int at;
    private int end;
    private boolean ended;

    PackedInput(InputStream in) {
        this.in = in;
    }

    byte[] bytes() {
        return bytes;
    }

    int at() {
        return at;
    }

    /** Goes on from there; a decoder that went too far learns it here. */
    void at(int position) throws IOException {
        if (position > end) {
            throw truncated();
        }
        at = position;
    }

    /** Without a check, for a decoder that may give bytes back and then tells its place again. */
    void atUnchecked(int position) {
        at = position;
    }

    /** Up to where a decoder may begin to read up to three times eight bytes. */
    int limit() {
        return ended ? end + 16 : end - 24;
    }

    /** Moves what is left to the front and makes it enough, unless the stream has ended. */
    void ahead() throws IOException {
        if (ended || end - at >= AHEAD) {
            return;
        }
        int kept = Math.min(at, BACK);
        System.arraycopy(bytes, at - kept, bytes, 0, end - at + kept);
        end -= at - kept;
        at = kept;
        while (end - at < AHEAD && !ended) {
            int got = in.read(bytes, end, BUFFER - end);
            ended = got < 0;
            end += Math.max(0, got);
        }
        if (ended) {
            Arrays.fill(bytes, end, end + AHEAD, (byte) 0);
        }
    }

    /** The next byte; -1 at the end. */
    int next() throws IOException {
        if (at == end) {
            ahead();
            if (at == end) {
                return -1;
            }
        }
        return bytes[at++] & 0xff;
    }

    int octet() throws IOException {
        int octet = next();
        if (octet < 0) {
            throw truncated();
        }
        return octet;
    }

    /** Bytes that follow, as many as there are up to a length, to be copied. */
    int read(byte[] target, int from, int length) throws IOException {
        if (at == end) {
            ahead();
            if (at == end) {
                throw truncated();
            }
        }
        int count = Math.min(length, end - at);
        System.arraycopy(bytes, at, target, from, count);
        at += count;
        return count;
    }

    void close() throws IOException {
        in.close();
    }

    private static Refusal truncated() {
        return Refusal.corrupt("gzip data ends too early");
    }
}
