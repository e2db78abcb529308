package podvm.image.layer;

import java.io.IOException;
import podvm.image.content.Refusal;

/**
 * The sparse map that PAX format 1.0 puts before a file's data: decimal numbers, each with a line
 * end, the first one counting the pieces, padded to a block (GNU tar's manual, "Storing Sparse
 * Files").
 */
final class SparseMapText {
    private final TarReader tar;
    private final TarExtensions extensions;
    private final byte[] block = new byte[512];
    private int at = block.length;

    SparseMapText(TarReader tar, TarExtensions extensions) {
        this.tar = tar;
        this.extensions = extensions;
    }

    void read() throws IOException {
        long pieces = number();
        for (long piece = 0; piece < pieces; piece++) {
            extensions.piece(number(), number());
        }
    }

    private long number() throws IOException {
        var digits = new StringBuilder();
        while (true) {
            int c = octet();
            if (c == '\n') {
                return TarExtensions.decimal(digits.toString());
            }
            if (digits.length() > 18) {
                throw Refusal.corrupt("sparse map has the number " + digits);
            }
            digits.append((char) c);
        }
    }

    private int octet() throws IOException {
        if (at == block.length) {
            at = 0;
            int got = 0;
            while (got < block.length) {
                int more = tar.read(block, got, block.length - got);
                if (more < 0) {
                    throw Refusal.corrupt("the map of a sparse file does not end");
                }
                got += more;
            }
        }
        return block[at++] & 0xff;
    }
}
