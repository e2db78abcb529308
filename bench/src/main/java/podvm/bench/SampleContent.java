package podvm.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;

/** Fills files with what compresses as text, programs and packed data do. */
final class SampleContent {
    private static final int WORDS = 4096;
    private static final int INSTRUCTIONS = 1024;
    private static final int PIECE = 1 << 16;

    private final Random random;
    private final byte[][] words = new byte[WORDS][];
    private final byte[][] instructions = new byte[INSTRUCTIONS][];
    private final byte[] piece = new byte[PIECE];

    SampleContent(Random random) {
        this.random = random;
        for (int word = 0; word < WORDS; word++) {
            words[word] = word(1 + word % 11);
        }
        for (int at = 0; at < INSTRUCTIONS; at++) {
            instructions[at] = new byte[2 + random.nextInt(6)];
            random.nextBytes(instructions[at]);
        }
    }

    String kind(int file) {
        return switch (file % 10) {
            case 0, 1, 2, 3, 4 -> "txt";
            case 9 -> "gz";
            default -> "so";
        };
    }

    void write(int file, int size, OutputStream out) throws IOException {
        for (int left = size; left > 0; left -= PIECE) {
            switch (kind(file)) {
                case "txt" -> text();
                case "gz" -> random.nextBytes(piece);
                default -> program();
            }
            out.write(piece, 0, Math.min(left, PIECE));
        }
    }

    /** Words of very different frequency, and now and then a phrase that was there before. */
    private void text() {
        int at = 0;
        while (at < PIECE) {
            if (at > 2000 && random.nextInt(12) == 0) {
                at = repeat(at, 8 + random.nextInt(60));
                continue;
            }
            int rank = (int) (WORDS * Math.pow(random.nextDouble(), 4));
            at = put(words[rank], at);
            if (at < PIECE) {
                piece[at++] = (byte) (random.nextInt(9) == 0 ? '\n' : ' ');
            }
        }
    }

    /** Instructions with operands that differ, and tables of small numbers between them. */
    private void program() {
        int at = 0;
        while (at < PIECE) {
            switch (random.nextInt(16)) {
                case 0 -> {
                    for (int number = 0; number < 8 && at + 4 < PIECE; number++) {
                        piece[at++] = (byte) random.nextInt();
                        piece[at++] = (byte) random.nextInt(16);
                        piece[at++] = 0;
                        piece[at++] = 0;
                    }
                    at = at + 4 < PIECE ? at : PIECE;
                }
                case 1, 2 -> at = at > 4000 ? repeat(at, 12 + random.nextInt(120)) : at;
                default -> {
                    int rank = (int) (INSTRUCTIONS * Math.pow(random.nextDouble(), 3));
                    at = put(instructions[rank], at);
                    if (at < PIECE && random.nextInt(3) == 0) {
                        piece[at++] = (byte) random.nextInt();
                    }
                }
            }
        }
    }

    private int repeat(int at, int length) {
        int from = at - 1 - random.nextInt(Math.min(at - 1, 30_000));
        int end = Math.min(PIECE, at + length);
        int to = at;
        while (to < end) {
            piece[to++] = piece[from++];
        }
        return end;
    }

    private int put(byte[] bytes, int at) {
        int length = Math.min(bytes.length, PIECE - at);
        System.arraycopy(bytes, 0, piece, at, length);
        return at + length;
    }

    private byte[] word(int length) {
        var letters = new StringBuilder();
        while (letters.length() < length) {
            letters.append("etaoinshrdlucmfwypvbgkqjxz".charAt(random.nextInt(26)));
        }
        return letters.toString().getBytes(StandardCharsets.US_ASCII);
    }
}
