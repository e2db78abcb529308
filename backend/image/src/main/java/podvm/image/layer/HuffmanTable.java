package podvm.image.layer;

import java.io.IOException;
import java.util.Arrays;
import podvm.image.content.Refusal;

/**
 * Finds the symbol that the next bits of deflate data stand for (RFC 1951, section 3.2). The first
 * bits choose an entry; longer codes go on in a second part of the table.
 *
 * <p>An entry tells at once all that is to be done. Bits 0 to 5: how many bits code and extra bits
 * take together, so that it can be shifted by as it stands; 8 to 13: how many of these the code
 * takes; 16 to 30: the literal, the base of a length or distance, or where the second part begins.
 */
final class HuffmanTable {
    static final int LITERAL = 1 << 31;

    /** No length or distance: one of the three that follow. */
    static final int SPECIAL = 1 << 15;

    static final int END = SPECIAL | 1 << 14;
    static final int SECOND = SPECIAL | 1 << 7;
    static final int NO_CODE = SPECIAL | 1 << 6;

    private static final int LONGEST = 15;

    private final int bits;
    private final int[] entries;
    private final int[] symbols;
    private final int[] count = new int[LONGEST + 1];
    private final int[] next = new int[LONGEST + 1];
    private final int[] second;
    private int secondBits;

    /**
     * @param bits that choose an entry of the first part
     * @param symbols for each, its entry but for the length of its code
     */
    HuffmanTable(int bits, int[] symbols) {
        this.bits = bits;
        this.symbols = symbols;
        // each code that is too long for the first part has at most one second part of its own
        this.entries = new int[(1 << bits) + (symbols.length << (LONGEST - bits))];
        this.second = new int[1 << bits];
    }

    int[] entries() {
        return entries;
    }

    /** Bits that choose an entry of a second part. */
    int secondMask() {
        return (1 << secondBits) - 1;
    }

    /**
     * Builds the table.
     *
     * @param lengths of the symbols' codes; 0 for a symbol that does not occur
     */
    void build(byte[] lengths, int from, int symbolCount) throws IOException {
        Arrays.fill(count, 0);
        int longest = 0;
        for (int symbol = 0; symbol < symbolCount; symbol++) {
            count[lengths[from + symbol]]++;
            longest = Math.max(longest, lengths[from + symbol]);
        }
        check(symbolCount);
        secondBits = Math.max(0, longest - bits);
        int code = 0;
        for (int length = 1; length <= LONGEST; length++) {
            next[length] = code;
            code = (code + count[length]) << 1;
        }
        Arrays.fill(entries, 0, 1 << bits, NO_CODE);
        Arrays.fill(second, 0);
        int end = 1 << bits;
        for (int symbol = 0; symbol < symbolCount; symbol++) {
            int length = lengths[from + symbol];
            if (length == 0) {
                continue;
            }
            int reversed = Integer.reverse(next[length]++) >>> (32 - length);
            if (length <= bits) {
                enter(symbols[symbol], length, reversed, 0, 1 << bits);
            } else {
                int first = reversed & ((1 << bits) - 1);
                if (second[first] == 0) {
                    second[first] = end;
                    entries[first] = SECOND | end << 16 | bits;
                    Arrays.fill(entries, end, end + (1 << secondBits), NO_CODE);
                    end += 1 << secondBits;
                }
                enter(
                        symbols[symbol],
                        length - bits,
                        reversed >>> bits,
                        second[first],
                        1 << secondBits);
            }
        }
    }

    private void enter(int symbol, int length, int code, int start, int size) {
        int entry = symbol + (length << 8 | length);
        for (int at = code; at < size; at += 1 << length) {
            entries[start + at] = entry;
        }
    }

    /** A set of codes is complete, but for a single one, which takes one bit, or none at all. */
    private void check(int symbolCount) throws IOException {
        int left = 1;
        for (int length = 1; length <= LONGEST; length++) {
            left = (left << 1) - count[length];
            if (left < 0) {
                throw Refusal.corrupt("gzip data has more codes than there can be");
            }
        }
        int used = symbolCount - count[0];
        boolean mayLack = used == 0 || (used == 1 && count[1] == 1);
        if (left > 0 && !mayLack) {
            throw Refusal.corrupt("gzip data has too few codes");
        }
    }
}
