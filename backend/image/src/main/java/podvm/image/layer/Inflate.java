package podvm.image.layer;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import podvm.image.content.Refusal;

/**
 * Unpacks deflate data (RFC 1951). Of all that is done with a layer this takes the longest; the
 * JDK's own way, zlib, takes about 1.6 times as long. This one reads eight bytes at once and finds
 * most symbols by a single look into a table.
 */
final class Inflate {
    /** How far back data can refer: what must stand before the output's place. */
    static final int WINDOW = 32 << 10;

    /** How far output may go beyond its limit: the longest match and the rest of a long. */
    static final int SLACK = 320;

    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private static final int LITERAL_BITS = 11;
    private static final int DISTANCE_BITS = 9;
    private static final int LENGTH_BITS = 7;
    private static final byte[] LENGTH_ORDER = {
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15
    };

    private enum State {
        BETWEEN,
        STORED,
        CODED,
        ENDED
    }

    private final PackedInput in;
    private final HuffmanTable literals = new HuffmanTable(LITERAL_BITS, literalSymbols());
    private final HuffmanTable distances = new HuffmanTable(DISTANCE_BITS, distanceSymbols());
    private final HuffmanTable lengths = new HuffmanTable(LENGTH_BITS, lengthSymbols());
    private final byte[] codeLengths = new byte[320];
    private State state = State.ENDED;
    private boolean last;
    private int storedLeft;

    /** Read but not used; bits above the count are of the bytes that come next. */
    private long bits;

    private int bitCount;

    Inflate(PackedInput in) {
        this.in = in;
    }

    /** Begins with new data at the input's place. */
    void begin() {
        state = State.BETWEEN;
        last = false;
        bits = 0;
        bitCount = 0;
    }

    /** True once all is unpacked; the input then stands behind the data's last byte. */
    boolean ended() {
        return state == State.ENDED;
    }

    /**
     * Unpacks until the limit is reached, or a little passed, or the data ends.
     *
     * @param floor where data that may be referred to begins
     * @return the end of what is unpacked
     */
    int inflate(byte[] out, int floor, int from, int limit) throws IOException {
        int at = from;
        while (at < limit && state != State.ENDED) {
            in.ahead();
            switch (state) {
                case BETWEEN -> readBlockHeader();
                case STORED -> at = copyStored(out, at, limit);
                case CODED -> at = inflateCodes(out, floor, at, limit);
                case ENDED -> throw new IllegalStateException("checked before");
            }
        }
        return at;
    }

    private void readBlockHeader() throws IOException {
        if (last) {
            dropBits();
            state = State.ENDED;
            return;
        }
        last = take(1) == 1;
        switch (take(2)) {
            case 0 -> beginStored();
            case 1 -> beginFixed();
            case 2 -> beginDynamic();
            default -> throw Refusal.corrupt("gzip data has a block of unknown kind");
        }
    }

    private void beginStored() throws IOException {
        dropBits();
        int length = in.octet() | in.octet() << 8;
        int inverted = in.octet() | in.octet() << 8;
        if (length != (inverted ^ 0xffff)) {
            throw Refusal.corrupt("gzip data has a block of contradictory length");
        }
        storedLeft = length;
        state = State.STORED;
    }

    private int copyStored(byte[] out, int from, int limit) throws IOException {
        if (storedLeft == 0) {
            state = State.BETWEEN;
            return from;
        }
        int got = in.read(out, from, Math.min(storedLeft, limit - from));
        storedLeft -= got;
        return from + got;
    }

    private void beginFixed() throws IOException {
        Arrays.fill(codeLengths, 0, 144, (byte) 8);
        Arrays.fill(codeLengths, 144, 256, (byte) 9);
        Arrays.fill(codeLengths, 256, 280, (byte) 7);
        Arrays.fill(codeLengths, 280, 288, (byte) 8);
        Arrays.fill(codeLengths, 288, 320, (byte) 5);
        literals.build(codeLengths, 0, 288);
        distances.build(codeLengths, 288, 32);
        state = State.CODED;
    }

    private void beginDynamic() throws IOException {
        int literalCount = take(5) + 257;
        int distanceCount = take(5) + 1;
        int lengthCount = take(4) + 4;
        if (literalCount > 286 || distanceCount > 30) {
            throw Refusal.corrupt("gzip data has more symbols than there are");
        }
        Arrays.fill(codeLengths, (byte) 0);
        for (int at = 0; at < lengthCount; at++) {
            codeLengths[LENGTH_ORDER[at]] = (byte) take(3);
        }
        lengths.build(codeLengths, 0, LENGTH_ORDER.length);
        readCodeLengths(literalCount + distanceCount);
        if (codeLengths[256] == 0) {
            throw Refusal.corrupt("gzip data has a block without an end");
        }
        literals.build(codeLengths, 0, literalCount);
        distances.build(codeLengths, literalCount, distanceCount);
        state = State.CODED;
    }

    private void readCodeLengths(int count) throws IOException {
        Arrays.fill(codeLengths, (byte) 0);
        int at = 0;
        while (at < count) {
            fill();
            int entry = lengths.entries()[(int) bits & (1 << LENGTH_BITS) - 1];
            if ((entry & HuffmanTable.NO_CODE) == HuffmanTable.NO_CODE) {
                throw noCode();
            }
            take(entry & 63);
            int symbol = entry >>> 16;
            if (symbol < 16) {
                codeLengths[at++] = (byte) symbol;
                continue;
            }
            if (symbol == 16 && at == 0) {
                throw Refusal.corrupt("gzip data repeats a code's length before the first");
            }
            byte repeated = symbol == 16 ? codeLengths[at - 1] : 0;
            int times =
                    switch (symbol) {
                        case 16 -> 3 + take(2);
                        case 17 -> 3 + take(3);
                        default -> 11 + take(7);
                    };
            if (times > count - at) {
                throw Refusal.corrupt("gzip data has more codes than it announces");
            }
            Arrays.fill(codeLengths, at, at + times, repeated);
            at += times;
        }
    }

    private int inflateCodes(byte[] out, int floor, int from, int limit) throws IOException {
        final int[] literal = literals.entries();
        final int[] distance = distances.entries();
        final int literalSecond = literals.secondMask();
        final int distanceSecond = distances.secondMask();
        final byte[] packed = in.bytes();
        final int packedLimit = in.limit();
        int next = in.at();
        long bits = this.bits;
        int count = bitCount;
        int to = from;
        while (next < packedLimit && to < limit) {
            bits |= (long) LONG.get(packed, next) << count;
            next += (63 - count) >> 3;
            count |= 56;
            int entry = literal[(int) bits & (1 << LITERAL_BITS) - 1];
            if (entry < 0) {
                // 56 bits are enough for three of the first part and a look at one more
                out[to++] = (byte) (entry >> 16);
                bits >>>= entry;
                count -= entry & 63;
                entry = literal[(int) bits & (1 << LITERAL_BITS) - 1];
                if (entry < 0) {
                    out[to++] = (byte) (entry >> 16);
                    bits >>>= entry;
                    count -= entry & 63;
                    entry = literal[(int) bits & (1 << LITERAL_BITS) - 1];
                    if (entry < 0) {
                        out[to++] = (byte) (entry >> 16);
                        bits >>>= entry;
                        count -= entry & 63;
                        continue;
                    }
                }
                bits |= (long) LONG.get(packed, next) << count;
                next += (63 - count) >> 3;
                count |= 56;
            }
            if ((entry & HuffmanTable.SPECIAL) != 0) {
                if ((entry & HuffmanTable.SECOND) == HuffmanTable.SECOND) {
                    bits >>>= LITERAL_BITS;
                    count -= LITERAL_BITS;
                    entry = literal[(entry >>> 16) + ((int) bits & literalSecond)];
                    if (entry < 0) {
                        out[to++] = (byte) (entry >> 16);
                        bits >>>= entry;
                        count -= entry & 63;
                        continue;
                    }
                }
                if ((entry & HuffmanTable.END) == HuffmanTable.END) {
                    bits >>>= entry;
                    count -= entry & 63;
                    state = State.BETWEEN;
                    break;
                }
                if ((entry & HuffmanTable.SPECIAL) != 0) {
                    throw noCode();
                }
            }
            int length = (entry >>> 16) + (int) ((bits & ~(-1L << entry)) >>> (entry >> 8));
            bits >>>= entry;
            count -= entry & 63;
            entry = distance[(int) bits & (1 << DISTANCE_BITS) - 1];
            if ((entry & HuffmanTable.SPECIAL) != 0) {
                if ((entry & HuffmanTable.SECOND) == HuffmanTable.SECOND) {
                    bits >>>= DISTANCE_BITS;
                    count -= DISTANCE_BITS;
                    entry = distance[(entry >>> 16) + ((int) bits & distanceSecond)];
                }
                if ((entry & HuffmanTable.SPECIAL) != 0) {
                    throw noCode();
                }
            }
            int back = (entry >>> 16) + (int) ((bits & ~(-1L << entry)) >>> (entry >> 8));
            bits >>>= entry;
            count -= entry & 63;
            if (back > to - floor) {
                throw Refusal.corrupt("gzip data refers to what stands before it");
            }
            int source = to - back;
            int end = to + length;
            if (back >= 8) {
                do {
                    LONG.set(out, to, (long) LONG.get(out, source));
                    to += 8;
                    source += 8;
                } while (to < end);
            } else if (back == 1) {
                long repeated = (out[source] & 0xffL) * 0x0101_0101_0101_0101L;
                do {
                    LONG.set(out, to, repeated);
                    to += 8;
                } while (to < end);
            } else {
                do {
                    out[to++] = out[source++];
                } while (to < end);
            }
            to = end;
        }
        // whole bytes go back, so that the place in the input is told exactly
        next -= count >> 3;
        count &= 7;
        this.bits = bits & (1L << count) - 1;
        bitCount = count;
        in.at(next);
        return to;
    }

    /** Makes at least 56 bits ready; only where {@link PackedInput#ahead} was asked before. */
    private void fill() throws IOException {
        int next = in.at();
        bits |= (long) LONG.get(in.bytes(), next) << bitCount;
        int whole = (63 - bitCount) >> 3;
        // at the end of the stream zeros follow; using them is noticed when bits are dropped
        bitCount += whole * 8;
        bits &= (1L << bitCount) - 1;
        in.atUnchecked(next + whole);
    }

    private int take(int wanted) throws IOException {
        if (bitCount < wanted) {
            fill();
        }
        int value = (int) (bits & (1L << wanted) - 1);
        bits >>>= wanted;
        bitCount -= wanted;
        return value;
    }

    /** Goes on at a whole byte. */
    private void dropBits() throws IOException {
        in.at(in.at() - (bitCount >> 3));
        bits = 0;
        bitCount = 0;
    }

    private static Refusal noCode() {
        return Refusal.corrupt("gzip data has a code that stands for nothing");
    }

    private static int[] literalSymbols() {
        var symbols = new int[288];
        for (int literal = 0; literal < 256; literal++) {
            symbols[literal] = HuffmanTable.LITERAL | literal << 16;
        }
        symbols[256] = HuffmanTable.END;
        int length = 3;
        for (int symbol = 257; symbol < 285; symbol++) {
            int extra = Math.max(0, (symbol - 261) / 4);
            symbols[symbol] = length << 16 | extra;
            length += 1 << extra;
        }
        symbols[285] = 258 << 16;
        symbols[286] = HuffmanTable.NO_CODE;
        symbols[287] = HuffmanTable.NO_CODE;
        return symbols;
    }

    private static int[] distanceSymbols() {
        var symbols = new int[32];
        int distance = 1;
        for (int symbol = 0; symbol < 30; symbol++) {
            int extra = Math.max(0, symbol / 2 - 1);
            symbols[symbol] = distance << 16 | extra;
            distance += 1 << extra;
        }
        symbols[30] = HuffmanTable.NO_CODE;
        symbols[31] = HuffmanTable.NO_CODE;
        return symbols;
    }

    private static int[] lengthSymbols() {
        var symbols = new int[LENGTH_ORDER.length];
        for (int symbol = 0; symbol < symbols.length; symbol++) {
            symbols[symbol] = symbol << 16;
        }
        return symbols;
    }
}
