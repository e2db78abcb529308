package podvm.cli.wire;

import java.io.ByteArrayOutputStream;

/** Decodes the strings of RFC 7541, Appendix B. */
final class Huffman {
    /**
     * The code is canonical, so that the lengths alone give it: 'A' stands for 5 bits. The last is
     * the end marker, which never stands in a string.
     */
    private static final String LENGTHS =
            "ISXXXXXXXTZXXZXXXXXXXXZXXXXXXXXXBFFHIBDGFFDGDBBBAAABBBBBBBCDKBHF"
                    + "IBCCCCCCCCCCCCCCCCCCCCCCDCDIOIJBKABABABBBACCBBBABCBAABCCCCCKGJIX"
                    + "PRPPRRRSRSSSSSTSTTRSTSSSSQRSRSSTRQPRRSSQSRRTQRSSQQRQSRSSPRRRSRRS"
                    + "VVPORSRUVVVWWVTUOQVWWVWTQQVVXWWWPTPQRQQSRRUUTTVSVWVVWWWWWXWWWWWVZ";

    private static final int LONGEST = 30;

    /** First code, first index into {@link #SYMBOLS} and count of each length. */
    private static final int[] FIRST = new int[LONGEST + 1];

    private static final int[] INDEX = new int[LONGEST + 1];
    private static final int[] COUNT = new int[LONGEST + 1];
    private static final int[] SYMBOLS = new int[LENGTHS.length()];

    static {
        var code = 0;
        var index = 0;
        for (var bits = 1; bits <= LONGEST; bits++) {
            FIRST[bits] = code;
            INDEX[bits] = index;
            for (var symbol = 0; symbol < LENGTHS.length(); symbol++) {
                if (LENGTHS.charAt(symbol) - 'A' + 5 == bits) {
                    SYMBOLS[index++] = symbol;
                    code++;
                }
            }
            COUNT[bits] = index - INDEX[bits];
            code <<= 1;
        }
    }

    private Huffman() {}

    static byte[] decode(byte[] bytes, int from, int length) throws WireException {
        var text = new ByteArrayOutputStream(length * 2);
        var code = 0;
        var bits = 0;
        for (var i = 0; i < length * 8; i++) {
            code = (code << 1) | ((bytes[from + i / 8] >> (7 - i % 8)) & 1);
            bits++;
            var offset = code - FIRST[bits];
            if (offset >= 0 && offset < COUNT[bits]) {
                var symbol = SYMBOLS[INDEX[bits] + offset];
                if (symbol == 256) {
                    throw new WireException("a header has the end marker inside");
                }
                text.write(symbol);
                code = 0;
                bits = 0;
            } else if (bits == LONGEST) {
                throw new WireException("a header is no Huffman code");
            }
        }
        // the rest is padding: fewer than 8 bits, all ones
        if (bits > 7 || code != (1 << bits) - 1) {
            throw new WireException("a header's padding is wrong");
        }
        return text.toByteArray();
    }
}
