package podvm.image.layer;

import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import podvm.image.Refusal;

/**
 * Unpacks gzip (RFC 1952), as many members as there are: some layers hold one per file. Zeros after
 * the last member are padding; anything else there is refused.
 */
final class Gunzip extends InputStream {
    private static final int EXTRA = 4;
    private static final int NAME = 8;
    private static final int COMMENT = 16;
    private static final int HEADER_CRC = 2;

    private final InputStream in;
    private final Inflater inflater = new Inflater(true);
    private final CRC32 crc = new CRC32();
    private final byte[] packed = new byte[128 << 10];
    private int at;
    private int end;
    private boolean inMember;
    private boolean ended;

    Gunzip(InputStream in) throws IOException {
        this.in = in;
        readHeader(octet());
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (!ended) {
            int got = inMember ? inflate(target, from, length) : 0;
            if (got > 0) {
                crc.update(target, from, got);
                return got;
            }
            if (!inMember) {
                nextMember();
            }
        }
        return -1;
    }

    @Override
    public void close() throws IOException {
        inflater.end();
        in.close();
    }

    private int inflate(byte[] target, int from, int length) throws IOException {
        try {
            int got = inflater.inflate(target, from, length);
            if (got == 0 && inflater.finished()) {
                at = end - inflater.getRemaining();
                readTrailer();
            } else if (got == 0 && inflater.needsInput()) {
                fill();
                inflater.setInput(packed, 0, end);
            } else if (got == 0) {
                throw Refusal.corrupt("gzip data needs a dictionary");
            }
            return got;
        } catch (DataFormatException e) {
            throw Refusal.corrupt("gzip data is damaged: " + e.getMessage());
        }
    }

    private void readTrailer() throws IOException {
        long sum = little32();
        long size = little32();
        boolean right =
                sum == crc.getValue() && size == (inflater.getBytesWritten() & 0xffff_ffffL);
        if (!right) {
            throw Refusal.corrupt("gzip data does not match its checksum");
        }
        inMember = false;
    }

    private void nextMember() throws IOException {
        int first = next();
        while (first == 0) {
            first = next();
        }
        if (first < 0) {
            ended = true;
        } else {
            readHeader(first);
        }
    }

    private void readHeader(int first) throws IOException {
        int second = octet();
        int method = octet();
        if (first != 0x1f || second != 0x8b || method != 8) {
            throw Refusal.corrupt("gzip data is followed by something else");
        }
        int flags = octet();
        skip(6);
        if ((flags & EXTRA) != 0) {
            skip(octet() | (octet() << 8));
        }
        if ((flags & NAME) != 0) {
            skipText();
        }
        if ((flags & COMMENT) != 0) {
            skipText();
        }
        if ((flags & HEADER_CRC) != 0) {
            skip(2);
        }
        inflater.reset();
        inflater.setInput(packed, at, end - at);
        crc.reset();
        inMember = true;
    }

    private void skip(int count) throws IOException {
        for (int left = count; left > 0; left--) {
            octet();
        }
    }

    private void skipText() throws IOException {
        while (octet() != 0) {}
    }

    private long little32() throws IOException {
        return octet() | (octet() << 8) | (octet() << 16) | ((long) octet() << 24);
    }

    private int octet() throws IOException {
        int octet = next();
        if (octet < 0) {
            throw truncated();
        }
        return octet;
    }

    private int next() throws IOException {
        if (at == end) {
            at = 0;
            end = Math.max(0, in.read(packed, 0, packed.length));
            if (end == 0) {
                return -1;
            }
        }
        return packed[at++] & 0xff;
    }

    private void fill() throws IOException {
        end = in.read(packed, 0, packed.length);
        at = 0;
        if (end <= 0) {
            throw truncated();
        }
    }

    private static Refusal truncated() {
        return Refusal.corrupt("gzip data ends too early");
    }
}
