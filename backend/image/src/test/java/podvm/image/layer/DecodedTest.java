package podvm.image.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.ZstdOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import podvm.engine.PodException;
import podvm.image.TarBytes;
import podvm.image.content.Refusal;

class DecodedTest {
    private static final byte[] TAR =
            new TarBytes().file("a", noise(300_000)).file("b", "text").bytes();

    @Test
    void plainGzipAndZstdAreRecognisedByTheirBytes() throws Exception {
        assertThat(decode(TAR)).isEqualTo(TAR);
        assertThat(decode(TarBytes.gzip(TAR))).isEqualTo(TAR);
        for (int level : new int[] {-5, 1, 3, 19}) {
            assertThat(decode(zstd(TAR, level, 0))).as("level %d", level).isEqualTo(TAR);
        }
    }

    @Test
    void anEmptyStreamAndAShortOneArePlain() throws Exception {
        assertThat(decode(new byte[0])).isEmpty();
        assertThat(decode(new byte[] {'B', 'Z', 'h'})).hasSize(3);
    }

    @Test
    void aTarWhoseFirstNameLooksLikeBzip2IsPlain() throws Exception {
        var tar = new TarBytes().file("BZh9 of a file", "").bytes();
        assertThat(decode(tar)).isEqualTo(tar);
    }

    @Test
    void zstdFramesFollowEachOtherAndSkippedOnesAreSkipped() throws Exception {
        var both = new ByteArrayOutputStream();
        both.writeBytes(new byte[] {0x5e, '*', 'M', 0x18, 3, 0, 0, 0, 1, 2, 3});
        both.writeBytes(zstd("one ".getBytes(), 3, 0));
        both.writeBytes(zstd("two".getBytes(), 3, 0));
        assertThat(decode(both.toByteArray())).asString().isEqualTo("one two");
    }

    @Test
    void damagedAndCutZstdIsRefused() throws Exception {
        var packed = zstd(TAR, 3, 0);
        for (int length : new int[] {5, 50, packed.length / 2, packed.length - 1}) {
            assertRefused(Arrays.copyOf(packed, length), PodException.Kind.CORRUPT, "zstd");
        }
        var damaged = packed.clone();
        damaged[packed.length / 2] ^= 1;
        assertRefused(damaged, PodException.Kind.CORRUPT, "zstd");
        assertRefused(Arrays.copyOf(packed, packed.length + 7), PodException.Kind.CORRUPT, "zstd");
    }

    @Test
    void zstdThatAsksForMuchMemoryIsRefused() throws Exception {
        assertThat(decode(zstd(TAR, 3, 25))).isEqualTo(TAR);
        assertRefused(zstd(TAR, 3, 27), PodException.Kind.UNSUPPORTED, "32 MiB of memory");
    }

    @Test
    void otherCompressionsAreRefusedByName() {
        assertRefused("BZh91AY&SY", "bzip2");
        assertRefused("\u00fd7zXZ\0\0\u0004..", "xz");
        assertRefused("\u0004\"M\u0018......", "lz4");
        assertRefused("\u001f\u009d........", "compress");
        assertRefused("PK\u0003\u0004......", "zip");
    }

    private static byte[] noise(int size) {
        var noise = new byte[size];
        new Random(1).nextBytes(noise);
        return noise;
    }

    private static byte[] zstd(byte[] content, int level, int window) throws IOException {
        var packed = new ByteArrayOutputStream();
        try (var zstd = new ZstdOutputStream(packed, level)) {
            zstd.setChecksum(true);
            if (window > 0) {
                zstd.setLong(window);
            }
            zstd.write(content);
        }
        return packed.toByteArray();
    }

    private static byte[] decode(byte[] bytes) throws IOException {
        try (var in = Decoded.of(new ByteArrayInputStream(bytes))) {
            return in.readAllBytes();
        }
    }

    private static void assertRefused(String magic, String name) {
        assertRefused(TarBytes.latin(magic), PodException.Kind.UNSUPPORTED, name);
    }

    private static void assertRefused(byte[] bytes, PodException.Kind kind, String message) {
        assertThatThrownBy(() -> decode(bytes))
                .isInstanceOfSatisfying(
                        Refusal.class, e -> assertThat(e.finding().kind()).isEqualTo(kind))
                .hasMessageContaining(message);
    }
}
