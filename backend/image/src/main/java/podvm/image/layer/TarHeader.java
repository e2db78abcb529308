package podvm.image.layer;

import java.io.IOException;
import java.util.Arrays;
import podvm.image.content.Refusal;
import podvm.image.content.Shown;

/** The fields of one 512-byte tar header; offsets from POSIX pax and GNU tar's manual. */
final class TarHeader {
    private final byte[] block;
    private final long position;

    /**
     * @param position of the block in the stream, for messages
     */
    TarHeader(byte[] block, long position) throws IOException {
        this.block = block;
        this.position = position;
        checkSum();
    }

    char type() {
        char type = (char) (block[156] & 0xff);
        return type == 0 ? '0' : type;
    }

    byte[] name() {
        var name = text(0, 100);
        // GNU's variant keeps other things where ustar has the prefix
        if (!isUstar() || block[345] == 0) {
            return name;
        }
        var prefix = text(345, 155);
        var whole = Arrays.copyOf(prefix, prefix.length + 1 + name.length);
        whole[prefix.length] = '/';
        System.arraycopy(name, 0, whole, prefix.length + 1, name.length);
        return whole;
    }

    byte[] link() {
        return text(157, 100);
    }

    int mode() throws IOException {
        return (int) number(100, 8) & 07777;
    }

    int uid() throws IOException {
        return id(number(108, 8), "uid");
    }

    int gid() throws IOException {
        return id(number(116, 8), "gid");
    }

    long size() throws IOException {
        return notNegative(number(124, 12), "size");
    }

    long seconds() throws IOException {
        return number(136, 12);
    }

    int major() throws IOException {
        return device(number(329, 8), "device major", 0xfff);
    }

    int minor() throws IOException {
        return device(number(337, 8), "device minor", 0xfffff);
    }

    long realSize() throws IOException {
        return notNegative(number(483, 12), "real size");
    }

    boolean moreSparse() {
        return block[482] != 0;
    }

    long number(int from, int length) throws IOException {
        return number(block, from, length);
    }

    /** Octal digits, or GNU's big-endian binary where the first bit is set. */
    static long number(byte[] block, int from, int length) throws IOException {
        if ((block[from] & 0x80) != 0) {
            return binary(block, from, length);
        }
        long value = 0;
        boolean begun = false;
        for (int at = from; at < from + length; at++) {
            int c = block[at];
            if (c >= '0' && c <= '7') {
                value = (value << 3) | (c - '0');
                begun = true;
            } else if (c == 0 || c == ' ') {
                if (begun) {
                    break;
                }
            } else {
                throw Refusal.corrupt(
                        "tar header has %s where a number belongs"
                                .formatted(
                                        Shown.name(
                                                Arrays.copyOfRange(block, from, from + length))));
            }
        }
        return value;
    }

    private static long binary(byte[] block, int from, int length) throws IOException {
        boolean negative = (block[from] & 0x40) != 0;
        long value = negative ? -1 : 0;
        for (int at = from; at < from + length; at++) {
            int octet = block[at] & 0xff;
            if (at == from) {
                octet = negative ? octet : octet & 0x7f;
            }
            if (value >> 55 != (negative ? -1 : 0)) {
                throw Refusal.corrupt("tar header has a number larger than 63 bits");
            }
            value = (value << 8) | octet;
        }
        return value;
    }

    int id(long value, String what) throws IOException {
        if (value < 0 || value > 0xffff_ffffL) {
            throw Refusal.corrupt(
                    "%s %d of the tar entry at byte %d is not a 32 bit number"
                            .formatted(what, value, position));
        }
        return (int) value;
    }

    long notNegative(long value, String what) throws IOException {
        if (value < 0) {
            throw Refusal.corrupt(
                    "%s %d of the tar entry at byte %d is negative"
                            .formatted(what, value, position));
        }
        return value;
    }

    private int device(long value, String what, int largest) throws IOException {
        if (value < 0 || value > largest) {
            throw Refusal.corrupt(
                    "%s %d of the tar entry at byte %d is not between 0 and %d"
                            .formatted(what, value, position, largest));
        }
        return (int) value;
    }

    private byte[] text(int from, int length) {
        int end = from;
        while (end < from + length && block[end] != 0) {
            end++;
        }
        return Arrays.copyOfRange(block, from, end);
    }

    private boolean isUstar() {
        return block[257] == 'u' && block[261] == 'r' && block[262] == 0;
    }

    private void checkSum() throws IOException {
        int unsigned = 0;
        int signed = 0;
        for (int at = 0; at < block.length; at++) {
            int octet = at >= 148 && at < 156 ? ' ' : block[at];
            unsigned += octet & 0xff;
            signed += octet;
        }
        long expected = announcedSum();
        // some old programs added the octets up as signed ones
        if (expected != unsigned && expected != signed) {
            throw Refusal.corrupt(
                    "not a tar header at byte %d: its checksum is not %d"
                            .formatted(position, unsigned));
        }
    }

    private long announcedSum() {
        try {
            return number(148, 8);
        } catch (IOException e) {
            // no number at all: certainly no header
            return -1;
        }
    }
}
