package podvm.image.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.GZIPInputStream;
import java.util.zip.Inflater;
import org.junit.jupiter.api.Test;
import podvm.image.content.Refusal;

/** Compares with the JDK's zlib, which packs for it. */
class GunzipTest {
    /**
     * A decoder that looks ahead gives back what it did not need, also what was moved meanwhile.
     */
    @Test
    void manyTinyMembersAreUnpacked() throws Exception {
        var header = "1f8b08000000000000ff";
        for (var blocks : List.of("000000ffff010000ffff", "000000ffff0300", "0300")) {
            var member = HexFormat.of().parseHex(header + blocks + "0000000000000000");
            var packed = new ByteArrayOutputStream();
            for (int at = 0; at < 300; at++) {
                packed.writeBytes(member);
            }
            assertThat(unpack(packed.toByteArray())).as(blocks).isEmpty();
        }
    }

    @Test
    void whatZlibPacksAtAnyLevelAndStrategyIsUnpacked() throws Exception {
        var random = new Random(1);
        for (int level = 0; level <= 9; level++) {
            for (int strategy :
                    new int[] {
                        Deflater.DEFAULT_STRATEGY, Deflater.FILTERED, Deflater.HUFFMAN_ONLY
                    }) {
                for (int size : new int[] {0, 1, 2, 300, 33_000, 700_000}) {
                    for (int kind = 0; kind < 4; kind++) {
                        var content = content(random, size, kind);
                        assertThat(unpack(gzip(content, level, strategy)))
                                .as("level %d strategy %d kind %d", level, strategy, kind)
                                .isEqualTo(content);
                    }
                }
            }
        }
    }

    @Test
    void inputThatComesByteByByteIsUnpacked() throws Exception {
        var content = content(new Random(2), 90_000, 1);
        var slow =
                new ByteArrayInputStream(gzip(content, 6, 0)) {
                    @Override
                    public synchronized int read(byte[] target, int from, int length) {
                        return super.read(target, from, Math.min(1, length));
                    }
                };
        assertThat(new Gunzip(slow).readAllBytes()).isEqualTo(content);
    }

    @Test
    void membersFollowEachOtherAndZerosEndThem() throws Exception {
        var packed = new ByteArrayOutputStream();
        var expected = new ByteArrayOutputStream();
        var random = new Random(3);
        for (int member = 0; member < 50; member++) {
            var content = content(random, random.nextInt(20_000), member % 4);
            expected.writeBytes(content);
            packed.writeBytes(gzip(content, 6, 0));
        }
        packed.writeBytes(new byte[777]);
        assertThat(unpack(packed.toByteArray())).isEqualTo(expected.toByteArray());
    }

    @Test
    void aMemberCannotReferToTheOneBefore() throws Exception {
        var first = gzip(new byte[1000], 6, 0);
        // a fixed block: a match of three bytes, one back, with nothing before it
        var second = new byte[] {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x03, 0x02, 0, 0, 0, 0};
        var both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        assertRefused(both, "refers to what stands before it");
    }

    @Test
    void headersWithNameCommentExtraAndChecksumArePassedOver() throws Exception {
        var plain = gzip(new byte[] {1, 2, 3}, 6, 0);
        var packed = new ByteArrayOutputStream();
        packed.writeBytes(Arrays.copyOf(plain, 10));
        packed.writeBytes(new byte[] {2, 0, 9, 9, 'n', 0, 'c', 0, 7, 7});
        packed.writeBytes(Arrays.copyOfRange(plain, 10, plain.length));
        var bytes = packed.toByteArray();
        bytes[3] = 2 | 4 | 8 | 16;
        assertThat(unpack(bytes)).containsExactly(1, 2, 3);
    }

    @Test
    void dataCutAnywhereIsRefused() throws Exception {
        var packed = gzip(content(new Random(4), 3000, 1), 6, 0);
        for (int length = 2; length < packed.length; length++) {
            var cut = Arrays.copyOf(packed, length);
            assertThatThrownBy(() -> unpack(cut))
                    .as("cut at %d", length)
                    .isInstanceOf(Refusal.class);
        }
        assertRefused(Arrays.copyOf(packed, packed.length - 1), "ends too early");
    }

    @Test
    void anythingBehindTheLastMemberIsRefused() throws Exception {
        var packed = gzip(new byte[10], 6, 0);
        assertRefused(Arrays.copyOf(packed, packed.length + 1 + 8), packed.length + 8, 'x');
        assertRefused(Arrays.copyOf(packed, packed.length + 1), packed.length, 0x1f);
    }

    @Test
    void damagedDataIsRefusedWhereZlibRefusesIt() throws Exception {
        var random = new Random(5);
        int refused = 0;
        for (int round = 0; round < 3000; round++) {
            var packed = gzip(content(random, 1 + random.nextInt(4000), round % 4), round % 10, 0);
            var damaged = packed.clone();
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                int at = 10 + random.nextInt(packed.length - 18);
                damaged[at] ^= (byte) (1 << random.nextInt(8));
            }
            var expected = zlib(damaged);
            byte[] actual;
            try {
                actual = unpack(sealed(damaged, expected));
            } catch (Refusal e) {
                actual = null;
                refused++;
            }
            if (expected != null) {
                assertThat(actual).as("round %d", round).isEqualTo(expected);
            } else {
                assertThat(actual).as("round %d", round).isNull();
            }
        }
        assertThat(refused).isGreaterThan(100);
    }

    /** Gives data that may still be right the checksum that it then needs. */
    private static byte[] sealed(byte[] packed, byte[] content) {
        if (content == null) {
            return packed;
        }
        return trailed(packed, content);
    }

    /** What zlib makes of it; null where it refuses, or where data follows. */
    private static byte[] zlib(byte[] packed) {
        var inflater = new Inflater(true);
        try {
            inflater.setInput(packed, 10, packed.length - 18);
            var out = new byte[4 << 20];
            int got = inflater.inflate(out);
            boolean whole = inflater.finished() && inflater.getRemaining() == 0;
            return whole ? Arrays.copyOf(out, got) : null;
        } catch (DataFormatException e) {
            return null;
        } finally {
            inflater.end();
        }
    }

    private static byte[] content(Random random, int size, int kind) {
        var content = new byte[size];
        switch (kind) {
            case 0 -> random.nextBytes(content);
            case 1 -> {
                for (int at = 0; at < size; at++) {
                    int back = 1 + random.nextInt(Math.max(1, Math.min(at, 32_768)));
                    content[at] =
                            at > 0 && random.nextInt(20) != 0
                                    ? content[at - (at % 97 == 0 ? back : Math.min(at, 41))]
                                    : (byte) random.nextInt(60);
                }
            }
            case 2 -> Arrays.fill(content, (byte) 'a');
            default -> {
                for (int at = 0; at < size; at++) {
                    content[at] = (byte) (Math.abs(random.nextGaussian()) * 30);
                }
            }
        }
        return content;
    }

    private static byte[] gzip(byte[] content, int level, int strategy) {
        var deflater = new Deflater(level, true);
        deflater.setStrategy(strategy);
        deflater.setInput(content);
        deflater.finish();
        var out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, 3});
        var piece = new byte[1 << 16];
        while (!deflater.finished()) {
            out.write(piece, 0, deflater.deflate(piece));
        }
        deflater.end();
        out.writeBytes(new byte[8]);
        return trailed(out.toByteArray(), content);
    }

    private static byte[] trailed(byte[] packed, byte[] content) {
        var crc = new CRC32();
        crc.update(content);
        var whole = packed.clone();
        for (int at = 0; at < 4; at++) {
            whole[packed.length - 8 + at] = (byte) (crc.getValue() >> 8 * at);
            whole[packed.length - 4 + at] = (byte) (content.length >> 8 * at);
        }
        return whole;
    }

    private static byte[] unpack(byte[] packed) throws IOException {
        try (InputStream in = new Gunzip(new ByteArrayInputStream(packed))) {
            return in.readAllBytes();
        }
    }

    private static void assertRefused(byte[] packed, int at, int value) {
        packed[at] = (byte) value;
        assertThatThrownBy(() -> unpack(packed)).isInstanceOf(Refusal.class);
    }

    private static void assertRefused(byte[] packed, String message) {
        assertThatThrownBy(() -> unpack(packed))
                .isInstanceOf(Refusal.class)
                .hasMessageContaining(message);
        assertThatThrownBy(
                        () -> new GZIPInputStream(new ByteArrayInputStream(packed)).readAllBytes())
                .isInstanceOf(IOException.class);
    }
}
