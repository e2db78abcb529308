package podvm.image.layer;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.github.luben.zstd.Zstd;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import podvm.engine.PodException;
import podvm.image.ErofsReader;
import podvm.image.Layers;
import podvm.image.TarBytes;
import podvm.image.Tool;
import podvm.image.content.Refusal;

/** Whatever a tar holds: it is refused, or becomes a disk that its readers find right. */
class TarFuzzTest {
    private static final LayerLimits SMALL = new LayerLimits(2000, 1 << 20, 32 << 20);
    private static final boolean FUZZING = System.getenv("JAZZER_FUZZ") != null;

    @MethodSource("tars")
    @FuzzTest(maxDuration = "5m")
    void aTarIsRefusedOrBecomesARightDisk(byte[] tar) throws Exception {
        var image = Files.createTempFile("fuzz-", ".erofs");
        try {
            // most damage would end at the first checksum
            Layers.write(new ByteArrayInputStream(resealed(tar)), image, SMALL);
            assertThat(ErofsReader.read(image)).containsKey("");
            checkByOthers(image);
        } catch (PodException e) {
            assertThat(e.getMessage()).isNotBlank();
        } finally {
            Files.delete(image);
        }
    }

    @MethodSource("packed")
    @FuzzTest(maxDuration = "5m")
    void packedDataIsRefusedOrUnpacked(byte[] packed) throws IOException {
        try (var in = Decoded.of(new ByteArrayInputStream(packed))) {
            in.readNBytes(8 << 20);
        } catch (Refusal e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    static Stream<byte[]> tars() throws IOException {
        var every =
                new TarBytes()
                        .directory("d")
                        .pax("SCHILY.xattr.user.a", "b")
                        .pax("mtime", "1.5")
                        .file("d/f", "x".repeat(1000))
                        .symlink("l", "d/f")
                        .hardLink("h", "d/f")
                        .device('3', "c", 1, 3)
                        .file("d/.wh.x", "")
                        .file("d/.wh..wh..opq", "")
                        .file("l/../x", "");
        var sparse =
                new TarBytes()
                        .pax("GNU.sparse.major", "1")
                        .pax("GNU.sparse.realsize", "5000")
                        .file("s", "1\n100\n5\n" + "\0".repeat(504) + "hello")
                        .pax("GNU.sparse.map", "0,2,4096,3")
                        .pax("GNU.sparse.size", "9000")
                        .file("t", "hello");
        return Stream.of(every.bytes(), every.unfinished(), sparse.bytes(), new byte[1024]);
    }

    static Stream<byte[]> packed() throws IOException {
        var tar = new TarBytes().file("f", "text ".repeat(99)).bytes();
        var gzip = TarBytes.gzip(tar);
        return Stream.of(
                tar,
                gzip,
                Arrays.copyOf(gzip, gzip.length - 3),
                Zstd.compress(tar),
                tinyMembers(),
                new byte[] {0x1f, (byte) 0x8b, 8, 31, 0, 0, 0, 0, 0, 0, 2, 0, 1, 2, 0});
    }

    /** Found by fuzzing: bits were given back after their bytes had been moved. */
    private static byte[] tinyMembers() {
        var member = HexFormat.of().parseHex("1f8b08000000000000000300" + "00".repeat(16));
        var packed = new ByteArrayOutputStream();
        for (int at = 0; at < 60; at++) {
            packed.writeBytes(member);
        }
        return packed.toByteArray();
    }

    /** fsck.erofs takes longer than all else: while fuzzing, it looks at some. */
    private static void checkByOthers(Path image) throws Exception {
        boolean chosen = !FUZZING || Files.size(image) % 65_536 == 0;
        if (chosen && Files.isExecutable(Path.of("/usr/bin/fsck.erofs"))) {
            Tool.run("fsck.erofs", image.toString());
        }
    }

    private static byte[] resealed(byte[] tar) {
        var sealed = tar.clone();
        for (int at = 0; at + 512 <= sealed.length; at += 512) {
            if (sealed[at + 257] == 'u') {
                var block = Arrays.copyOfRange(sealed, at, at + 512);
                TarBytes.seal(block);
                System.arraycopy(block, 0, sealed, at, 512);
            }
        }
        return sealed;
    }
}
