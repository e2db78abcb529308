package podvm.image.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.PodException;
import podvm.image.Layers;
import podvm.image.TarBytes;

/** What only someone writes who means harm. */
class HostileTarTest {
    @TempDir Path directory;

    @Test
    void headersThatDescribeNothingDoNotGoOnForEver() {
        var one = new TarBytes();
        one.header('g', "global", "", 512);
        one.data(new byte[512]);
        assertExhausted(endless(one.unfinished()));
    }

    @Test
    void paddingDoesNotGoOnForEver() {
        assertExhausted(endless(new byte[1 << 16]));
    }

    @Test
    void extensionsOfOneEntryCannotFillTheMemory() {
        var tar = new TarBytes();
        for (int header = 0; header < 3; header++) {
            var record = "400007 k%d=".formatted(header);
            tar.header('x', "many", "", 400_007);
            tar.data(TarBytes.latin(record + "v".repeat(400_006 - record.length()) + "\n"));
        }
        tar.file("victim", "");
        assertRefused(tar.bytes(), "'many'", "extensions");
    }

    @Test
    void numbersOutOfRangeAreRefusedWithTheEntrysName() {
        assertRefused(new TarBytes().owner(-1, 0).file("a/b", "").bytes(), "'a/b'", "uid -1");
        assertRefused(new TarBytes().owner(0, 1L << 33).file("a/b", "").bytes(), "'a/b'", "gid");
        assertRefused(new TarBytes().pax("uid", "x").file("a/b", "").bytes(), "'a/b'", "'x'");
        assertRefused(
                new TarBytes().pax("path", "long/name").pax("gid", "-4").file("a", "").bytes(),
                "'long/name'");
        assertRefused(new TarBytes().pax("mtime", "1e9").file("a/b", "").bytes(), "'a/b'", "'1e9'");
        assertRefused(new TarBytes().announce(-(1L << 40)).file("a/b", "").bytes(), "'a/b'");
    }

    @Test
    void aSizeBeyondAnyDiskIsRefusedWithTheEntrysName() {
        var tar = new TarBytes().announce(Long.MAX_VALUE).file("a/b", "").bytes();
        assertThatThrownBy(() -> image(tar))
                .isInstanceOfSatisfying(
                        PodException.class,
                        e -> assertThat(e.kind()).isEqualTo(PodException.Kind.EXHAUSTED))
                .hasMessageContaining("'a/b'");
    }

    @Test
    void aLyingSizeOfLinksAndDirectoriesIsNotBelieved() throws Exception {
        var tar =
                new TarBytes()
                        .announce(1 << 30)
                        .directory("d/")
                        .announce(1 << 20)
                        .symlink("d/l", "x")
                        .file("d/f", "content");
        assertThat(Layers.read(tar).get("d/f").text()).isEqualTo("content");
    }

    @Test
    void aTimeFarAwayIsKeptAsItIs() throws Exception {
        var nodes = Layers.read(new TarBytes().seconds(-(1L << 50)).file("f", ""));
        assertThat(nodes.get("f").seconds()).isEqualTo(-(1L << 50));
    }

    @Test
    void whatFollowsTheEndOfTheArchiveIsZerosOrRefused() throws Exception {
        var tar = new TarBytes().file("f", "").bytes();
        assertThat(Layers.image(Arrays.copyOf(tar, tar.length + 70_001))).isNotEmpty();
        var more = Arrays.copyOf(tar, tar.length + 70_001);
        more[more.length - 1] = 1;
        assertRefused(more, "followed by something else");
    }

    @Test
    void escapesByNameLinkOrHardLinkStayInside() throws Exception {
        assertRefused(new TarBytes().file("../x", "").bytes(), "'../x'", "..");
        assertRefused(new TarBytes().file("a/../../x", "").bytes(), "climbs");
        assertRefused(new TarBytes().hardLink("h", "../../etc/passwd").bytes(), "'h'", "climbs");
        assertRefused(new TarBytes().hardLink("h", "/etc/passwd").bytes(), "'h'", "passwd");
        assertRefused(
                new TarBytes().symlink("a", "b").symlink("b", "a").file("a/x", "").bytes(),
                "'a/x'",
                "loop");
        assertRefused(new TarBytes().file("f", "").file("f/x", "").bytes(), "'f/x'");
        var nodes =
                Layers.read(
                        new TarBytes()
                                .directory("in/")
                                .symlink("in/up", "../../../..")
                                .file("in/up/x", "y")
                                .file("/abs", "z"));
        assertThat(nodes).containsKeys("x", "abs", "in/up");
    }

    private static InputStream endless(byte[] piece) {
        return new InputStream() {
            private int at;

            @Override
            public int read() {
                return piece[at++ % piece.length];
            }

            @Override
            public int read(byte[] target, int from, int length) {
                int count = Math.min(length, piece.length - at % piece.length);
                System.arraycopy(piece, at % piece.length, target, from, count);
                at = (at + count) % piece.length;
                return count;
            }
        };
    }

    private void assertExhausted(InputStream tar) {
        var limits = new LayerLimits(1000, 1 << 20, 8 << 20);
        assertThatThrownBy(() -> Layers.write(tar, directory.resolve("image"), limits))
                .isInstanceOfSatisfying(
                        PodException.class,
                        e -> assertThat(e.kind()).isEqualTo(PodException.Kind.EXHAUSTED));
    }

    private static void assertRefused(byte[] tar, String... parts) {
        assertThatThrownBy(() -> image(tar))
                .isInstanceOfSatisfying(
                        PodException.class,
                        e -> assertThat(e.kind()).isEqualTo(PodException.Kind.CORRUPT))
                .message()
                .contains(parts);
    }

    private static byte[] image(byte[] tar) throws IOException, PodException {
        return Layers.image(tar);
    }
}
