package podvm.image.layer;

import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import podvm.image.content.Refusal;

/**
 * Unpacks gzip (RFC 1952), as many members as there are: some layers hold one per file. Zeros after
 * the last member are padding; anything else there is refused.
 */
final class Gunzip extends ReadyPieces {
    private static final int EXTRA = 4;
    private static final int NAME = 8;
    private static final int COMMENT = 16;
    private static final int HEADER_CRC = 2;
    private static final int RESERVED = 0xe0;

    /** What is unpacked at once. */
    private static final int PIECE = 256 << 10;

    private final PackedInput in;
    private final Inflate inflate;
    private final CRC32 crc = new CRC32();
    private int floor = Inflate.WINDOW;
    private long memberBytes;
    private boolean ended;

    Gunzip(InputStream raw) throws IOException {
        ready = new byte[Inflate.WINDOW + PIECE + Inflate.SLACK];
        at = Inflate.WINDOW;
        end = Inflate.WINDOW;
        in = new PackedInput(raw);
        inflate = new Inflate(in);
        beginMember(in.octet());
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    @Override
    boolean hasMore() throws IOException {
        while (at == end && !ended) {
            if (inflate.ended()) {
                endMember();
            } else {
                unpack();
            }
        }
        return at < end;
    }

    private void unpack() throws IOException {
        int kept = Math.min(end - floor, Inflate.WINDOW);
        System.arraycopy(ready, end - kept, ready, Inflate.WINDOW - kept, kept);
        floor = Inflate.WINDOW - kept;
        at = Inflate.WINDOW;
        end = inflate.inflate(ready, floor, at, at + PIECE);
        crc.update(ready, at, end - at);
        memberBytes += end - at;
    }

    private void endMember() throws IOException {
        long sum = little32();
        long size = little32();
        if (sum != crc.getValue() || size != (memberBytes & 0xffff_ffffL)) {
            throw Refusal.corrupt("gzip data does not match its checksum");
        }
        int first = in.next();
        while (first == 0) {
            first = in.next();
        }
        if (first < 0) {
            ended = true;
        } else {
            beginMember(first);
        }
    }

    private void beginMember(int first) throws IOException {
        int second = in.octet();
        int method = in.octet();
        if (first != 0x1f || second != 0x8b || method != 8) {
            throw Refusal.corrupt("gzip data is followed by something else");
        }
        int flags = in.octet();
        if ((flags & RESERVED) != 0) {
            throw Refusal.corrupt("gzip data has a header of unknown kind");
        }
        skip(6);
        if ((flags & EXTRA) != 0) {
            skip(in.octet() | (in.octet() << 8));
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
        inflate.begin();
        crc.reset();
        memberBytes = 0;
        floor = end;
    }

    private void skip(int count) throws IOException {
        for (int left = count; left > 0; left--) {
            in.octet();
        }
    }

    private void skipText() throws IOException {
        while (in.octet() != 0) {}
    }

    private long little32() throws IOException {
        return in.octet() | (in.octet() << 8) | (in.octet() << 16) | ((long) in.octet() << 24);
    }
}
