package podvm.image.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.PodException;
import podvm.image.ErofsReader;
import podvm.image.Layers;
import podvm.image.TarBytes;
import podvm.image.Tool;

class LayerWriterTest {
    @TempDir Path directory;

    @Test
    void anEmptyLayerHasARootDirectory() throws Exception {
        var nodes = Layers.read(new TarBytes());
        assertThat(nodes).containsOnlyKeys("");
        assertThat(nodes.get("").mode()).isEqualTo(0040755);
        assertThat(nodes.get("").links()).isEqualTo(2);
    }

    @Test
    void filesKeepContentModeOwnerAndTime() throws Exception {
        var nodes =
                Layers.read(
                        new TarBytes()
                                .mode(04751)
                                .owner(3_000_000_000L, 70_000)
                                .pax("mtime", "1234567890.123456789")
                                .file("usr/bin/su", "binary"));
        var file = nodes.get("usr/bin/su");
        assertThat(file.text()).isEqualTo("binary");
        assertThat(file.mode()).isEqualTo(0104751);
        assertThat(Integer.toUnsignedLong(file.uid())).isEqualTo(3_000_000_000L);
        assertThat(file.gid()).isEqualTo(70_000);
        assertThat(file.seconds()).isEqualTo(1234567890);
        assertThat(file.nanos()).isEqualTo(123456789);
        assertThat(file.layout()).as("data in blocks of its own").isZero();
    }

    @Test
    void timesBeforeTheEpochRoundDown() throws Exception {
        var nodes =
                Layers.read(
                        new TarBytes()
                                .pax("mtime", "-1.25")
                                .file("a", "")
                                .seconds(-7)
                                .file("b", ""));
        assertThat(nodes.get("a").seconds()).isEqualTo(-2);
        assertThat(nodes.get("a").nanos()).isEqualTo(750_000_000);
        assertThat(nodes.get("b").seconds()).isEqualTo(-7);
    }

    @Test
    void missingParentsAreMadeAndADirectoryDescribedLaterKeepsItsChildren() throws Exception {
        var nodes =
                Layers.read(
                        new TarBytes().file("a/b/c", "x").mode(0700).owner(5, 6).directory("a/b/"));
        assertThat(nodes.get("a").mode()).isEqualTo(0040755);
        assertThat(nodes.get("a/b").mode()).isEqualTo(0040700);
        assertThat(nodes.get("a/b").uid()).isEqualTo(5);
        assertThat(nodes.get("a/b/c").text()).isEqualTo("x");
        assertThat(nodes.get("a").links()).isEqualTo(3);
    }

    @Test
    void theRootIsDescribedByDotSlash() throws Exception {
        var nodes = Layers.read(new TarBytes().mode(01777).owner(1, 2).directory("./"));
        assertThat(nodes.get("").mode()).isEqualTo(0041777);
        assertThat(nodes.get("").gid()).isEqualTo(2);
    }

    @Test
    void absoluteNamesAndDotsAreRelativeToTheRoot() throws Exception {
        var nodes = Layers.read(new TarBytes().file("/etc/./hosts", "x").file("./b", "y"));
        assertThat(nodes).containsOnlyKeys("", "b", "etc", "etc/hosts");
    }

    @Test
    void hardLinksShareAnInode() throws Exception {
        var nodes =
                Layers.read(
                        new TarBytes().file("a", "x").hardLink("d/b", "a").hardLink("c", "/d/b"));
        assertThat(nodes.get("d/b").number()).isEqualTo(nodes.get("a").number());
        assertThat(nodes.get("a").links()).isEqualTo(3);
        assertThat(nodes.get("c").text()).isEqualTo("x");
    }

    @Test
    void aReplacedHardLinkLeavesTheOther() throws Exception {
        var nodes = Layers.read(new TarBytes().file("a", "x").hardLink("b", "a").file("a", "new"));
        assertThat(nodes.get("a").text()).isEqualTo("new");
        assertThat(nodes.get("b").text()).isEqualTo("x");
        assertThat(nodes.get("b").links()).isEqualTo(1);
    }

    @Test
    void aHardLinkToNowhereIsRefusedWithBothNames() {
        assertRefused(new TarBytes().hardLink("bin/sh", "bin/dash"), "'bin/sh'", "'bin/dash'");
        assertRefused(new TarBytes().directory("d").hardLink("l", "d"), "'l'", "directory 'd'");
    }

    @Test
    void symbolicLinksKeepTheirTargetsWhateverTheseAre() throws Exception {
        var longTarget = "x/".repeat(2000) + "y";
        var nodes =
                Layers.read(
                        new TarBytes()
                                .symlink("up", "../../etc/passwd")
                                .symlink("long", longTarget)
                                .symlink("longest", "z".repeat(4095)));
        assertThat(nodes.get("up").text()).isEqualTo("../../etc/passwd");
        assertThat(nodes.get("up").layout()).as("beside its inode").isEqualTo(2);
        assertThat(nodes.get("up").mode()).isEqualTo(0120777);
        assertThat(nodes.get("long").text()).isEqualTo(longTarget);
        assertThat(nodes.get("longest").size()).isEqualTo(4095);
    }

    @Test
    void devicesAndPipesKeepTheirNumbers() throws Exception {
        var nodes =
                Layers.read(
                        new TarBytes()
                                .device('3', "null", 1, 3)
                                .device('4', "disk", 259, 70_000)
                                .device('6', "pipe", 0, 0));
        assertThat(nodes.get("null").type()).isEqualTo(0020000);
        assertThat(nodes.get("null").rdev()).isEqualTo(0x103);
        assertThat(nodes.get("disk").type()).isEqualTo(0060000);
        // minor 70,000 = 0x11170: the low 8 bits stand below the major, the others above it
        assertThat(nodes.get("disk").rdev()).isEqualTo(0x1111_0370);
        assertThat(nodes.get("pipe").type()).isEqualTo(0010000);
    }

    @Test
    void extendedAttributesAreKept() throws Exception {
        var capability = new byte[] {1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, (byte) 200};
        var nodes =
                Layers.read(
                        new TarBytes()
                                .pax("SCHILY.xattr.security.capability", capability)
                                .pax("SCHILY.xattr.user.note", "")
                                .pax("SCHILY.xattr.system.posix_acl_access", "acl")
                                .pax("SCHILY.xattr.user.large", "v".repeat(60_000))
                                .file("ping", "x"));
        assertThat(nodes.get("ping").xattrs())
                .containsEntry(
                        "security.capability", new String(capability, StandardCharsets.ISO_8859_1))
                .containsEntry("user.note", "")
                .containsEntry("system.posix_acl_access", "acl")
                .containsEntry("user.large", "v".repeat(60_000))
                .hasSize(4);
    }

    @Test
    void attributesOfOverlayfsItselfAreLeftOut() throws Exception {
        var nodes =
                Layers.read(
                        new TarBytes()
                                .pax("SCHILY.xattr.trusted.overlay.redirect", "/etc")
                                .pax("SCHILY.xattr.com.apple.provenance", "x")
                                .file("a", "x"));
        assertThat(nodes.get("a").xattrs()).isEmpty();
    }

    @Test
    void aWhiteoutBecomesACharacterDevice() throws Exception {
        var nodes = Layers.read(new TarBytes().file("etc/.wh.passwd", ""));
        assertThat(nodes).containsOnlyKeys("", "etc", "etc/passwd");
        assertThat(nodes.get("etc/passwd").type()).isEqualTo(0020000);
        assertThat(nodes.get("etc/passwd").rdev()).isZero();
    }

    @Test
    void anOpaqueWhiteoutMarksItsDirectoryInEitherOrder() throws Exception {
        for (var tar :
                List.of(
                        new TarBytes().directory("d").file("d/.wh..wh..opq", ""),
                        new TarBytes().file("d/.wh..wh..opq", "").directory("d"))) {
            assertThat(Layers.read(tar).get("d").xattrs())
                    .isEqualTo(Map.of("trusted.overlay.opaque", "y"));
        }
    }

    @Test
    void aWhiteoutBesideAnEntryOfItsNameHidesLowerLayersOnly() throws Exception {
        var before = Layers.read(new TarBytes().file(".wh.f", "").file("f", "x"));
        var after = Layers.read(new TarBytes().file("f", "x").file(".wh.f", ""));
        assertThat(before.get("f").text()).isEqualTo("x");
        assertThat(after.get("f").text()).isEqualTo("x");
        var directoryBefore = Layers.read(new TarBytes().file(".wh.d", "").file("d/x", "x"));
        var directoryAfter = Layers.read(new TarBytes().file("d/x", "x").file(".wh.d", ""));
        assertThat(directoryBefore.get("d").xattrs()).containsKey("trusted.overlay.opaque");
        assertThat(directoryAfter.get("d").xattrs()).containsKey("trusted.overlay.opaque");
    }

    @Test
    void laterEntriesReplaceEarlierOnesOfAnyType() throws Exception {
        var nodes =
                Layers.read(
                        new TarBytes()
                                .file("a", "old")
                                .file("a", "new")
                                .file("d/x", "gone")
                                .file("d", "now a file")
                                .file("e", "was a file")
                                .directory("e")
                                .file("e/y", "in"));
        assertThat(nodes).containsOnlyKeys("", "a", "d", "e", "e/y");
        assertThat(nodes.get("a").text()).isEqualTo("new");
        assertThat(nodes.get("d").text()).isEqualTo("now a file");
        assertThat(nodes.get("").links()).isEqualTo(3);
    }

    @Test
    void parentsThatAreLinksAreFollowedInsideTheTree() throws Exception {
        var nodes =
                Layers.read(
                        new TarBytes()
                                .symlink("lib", "usr/lib")
                                .file("lib/libc.so", "c")
                                .symlink("out", "../../../../etc")
                                .file("out/passwd", "p")
                                .symlink("abs", "/var/run")
                                .file("abs/pid", "1"));
        assertThat(nodes.get("usr/lib/libc.so").text()).isEqualTo("c");
        assertThat(nodes.get("etc/passwd").text()).isEqualTo("p");
        assertThat(nodes.get("var/run/pid").text()).isEqualTo("1");
        assertThat(nodes.get("lib").type()).isEqualTo(0120000);
    }

    @Test
    void loopsOfLinksAndFilesAsParentsAreRefused() {
        assertRefused(
                new TarBytes().symlink("a", "b").symlink("b", "a").file("a/x", ""),
                "'a/x'",
                "loop");
        assertRefused(new TarBytes().file("a", "").file("a/x", ""), "'a/x'", "'a'");
    }

    @Test
    void namesThatClimbAreRefused() {
        assertRefused(new TarBytes().file("../etc/passwd", "x"), "'../etc/passwd'", "'..'");
        assertRefused(new TarBytes().file("a/../../b", "x"), "'a/../../b'", "'..'");
        assertRefused(new TarBytes().directory(".."), "'..'", "climbs");
        assertRefused(new TarBytes().file("a", "").hardLink("b", "../a"), "'b'", "links to climbs");
        assertRefused(new TarBytes().file("d/.wh...", ""), "'d/.wh...'", "nothing");
    }

    @Test
    void namesOfAnyBytesUpTo255AreKept() throws Exception {
        var bytes = new byte[255];
        for (int at = 0; at < 255; at++) {
            bytes[at] = (byte) (at + 1 == '/' ? 'x' : at + 1);
        }
        var name = new String(bytes, StandardCharsets.ISO_8859_1);
        assertThat(Layers.read(new TarBytes().file(name, "x"))).containsKey(name);
        assertRefused(new TarBytes().file("n".repeat(256), ""), "longer than 255");
        assertRefused(new TarBytes().file("n/".repeat(2100) + "x", ""), "longer than 4095");
    }

    @Test
    void treesDeeperThanAnyPathAreRefused() {
        var tar = new TarBytes();
        var deep = "d/".repeat(1000);
        tar.file(deep + "x", "");
        tar.symlink("s1", deep);
        tar.file("s1/" + deep + "y", "");
        tar.symlink("s2", "s1/" + deep);
        tar.file("s2/" + deep + "z", "");
        assertRefused(tar, "deeper");
    }

    @Test
    void largeDirectoriesAreSortedAcrossBlocks() throws Exception {
        var names = new ArrayList<String>();
        for (int at = 0; at < 20_000; at++) {
            names.add("name-" + Integer.toString(at * 7919, 36));
        }
        // these stand before and between "." and ".."
        Collections.addAll(names, "!first", "-x", ".-y", "...", ".hidden", "\u00ff", "\u0080");
        Collections.shuffle(names, new Random(1));
        var tar = new TarBytes();
        names.forEach(name -> tar.file("big/" + name, ""));
        var nodes = Layers.read(tar);
        assertThat(nodes).hasSize(names.size() + 2).containsKey("big/.-y");
    }

    @Test
    void sparseFilesOfEveryFormatAreRestored() throws Exception {
        Tool.need("tar");
        var file = directory.resolve("sparse");
        try (var channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            for (int piece = 0; piece < 60; piece++) {
                channel.write(ByteBuffer.wrap(TarBytes.latin("piece " + piece)), piece * 70_000L);
            }
            channel.write(ByteBuffer.wrap(new byte[1]), 5_000_000);
        }
        var content = Files.readAllBytes(file);
        for (var format : new String[] {"gnu", "posix:0.0", "posix:0.1", "posix:1.0"}) {
            var tar = directory.resolve("sparse.tar");
            var parts = format.split(":");
            var version = parts.length > 1 ? "--sparse-version=" + parts[1] : "--sparse";
            Tool.run(
                    "tar",
                    "-C",
                    directory.toString(),
                    "--format=" + parts[0],
                    "--sparse",
                    version,
                    "-cf",
                    tar.toString(),
                    "sparse");
            assertThat(Files.size(tar)).isLessThan(content.length / 2);
            var node = ErofsReader.read(Layers.image(Files.readAllBytes(tar))).get("sparse");
            assertThat(node.content()).as(format).isEqualTo(content);
        }
    }

    @Test
    void aFileLargerThanFourGigabytesIsWritten() throws Exception {
        Tool.need("fsck.erofs");
        var tar = new TarBytes();
        long size = (5L << 30) + 3;
        tar.pax("GNU.sparse.major", "1")
                .pax("GNU.sparse.minor", "0")
                .pax("GNU.sparse.realsize", String.valueOf(size));
        var map = "2\n0\n5\n%d\n3\n".formatted(size - 3);
        tar.file("huge", map + "\0".repeat(512 - map.length()) + "start" + "end");
        var image = directory.resolve("huge.erofs");
        long bytes = Layers.write(tar.stream(), image, Layers.LIMITS);
        assertThat(bytes).isGreaterThan(size);
        Tool.run("fsck.erofs", image.toString());
    }

    @Test
    void theSameLayerGivesTheSameBytes() throws Exception {
        var tar = new TarBytes();
        for (int at = 0; at < 500; at++) {
            tar.pax("SCHILY.xattr.user.n", "" + at % 7).file("d" + at % 13 + "/f" + at, "c" + at);
        }
        assertThat(Layers.image(tar.bytes())).isEqualTo(Layers.image(tar.bytes()));
    }

    @Test
    void limitsAreToldWithTheEntryThatPassesThem() throws Exception {
        var tar = new TarBytes();
        for (int at = 0; at < 30; at++) {
            tar.file("f" + at, "content");
        }
        assertExhausted(tar, new LayerLimits(20, 1 << 20, 1 << 30), "more than 20 entries", "'f");
        assertExhausted(tar, new LayerLimits(99, 50, 1 << 30), "more than 50 bytes of names", "'f");
        assertExhausted(tar, new LayerLimits(99, 1 << 20, 40_000), "larger than 40000 bytes");
        assertExhausted(
                new TarBytes()
                        .pax("GNU.sparse.map", "0,0")
                        .pax("GNU.sparse.size", "900000000000000000")
                        .file("bomb", ""),
                new LayerLimits(99, 1 << 20, 1L << 40),
                "'bomb'");
    }

    /** So umoci's raw layers end; GNU tar reads them too. */
    @Test
    void aTarMayEndWithTheLastByteOfItsLastFile() throws Exception {
        var whole = new TarBytes().file("a", "x").file("b", "x".repeat(3000)).bytes();
        int end = 1024 + 512 + 3000;
        for (int length : new int[] {end, end + 1, end + 71, end + 72, whole.length}) {
            var tree = Layers.read(Arrays.copyOf(whole, length));
            assertThat(tree.get("b").text()).as("%d bytes", length).hasSize(3000);
        }
        assertCorrupt(Arrays.copyOf(whole, end - 1), "ends in the middle");
        assertCorrupt(Arrays.copyOf(whole, 512 + 1 + 512), "ends in the middle");
    }

    @Test
    void damagedTarsAreRefused() throws Exception {
        var whole = new TarBytes().file("a", "x".repeat(3000)).bytes();
        for (int length : new int[] {100, 512, 700, 3000, 3511}) {
            assertCorrupt(Arrays.copyOf(whole, length), "ends in the middle");
        }
        var flipped = whole.clone();
        flipped[3] ^= 1;
        assertCorrupt(flipped, "checksum");
        assertCorrupt(new TarBytes().announce(1L << 62).file("a", "").bytes(), "'a'");
        assertCorrupt(new TarBytes().announce(-5).file("a", "").bytes(), "negative");
        assertCorrupt(
                new TarBytes().pax("size", "99999999999999999999").file("a", "").bytes(), "number");
        assertCorrupt(new TarBytes().pax("path", "a\0b").file("a", "").bytes(), "NUL");
        assertCorrupt(new TarBytes().entry('Z', "a", "", new byte[0]).bytes(), "type 'Z'");
        var bomb = new TarBytes();
        bomb.header('x', "pax", "", 1L << 40);
        assertCorrupt(bomb.bytes(), "extensions");
    }

    @Test
    void malformedPaxRecordsAreRefused() {
        for (var record :
                new String[] {
                    "5 a=b\n", "x a=b\n", "6 ab\n\n", "7 a=b\n", "99 a=b\n", "6 a=bc", "0 "
                }) {
            var tar = new TarBytes();
            tar.header('x', "pax", "", record.length());
            tar.data(TarBytes.latin(record));
            tar.file("f", "");
            assertCorrupt(tar.bytes(), "header");
        }
    }

    @Test
    void randomDamageNeverEndsInAnythingButARefusal() throws Exception {
        var tar =
                new TarBytes()
                        .directory("d")
                        .pax("SCHILY.xattr.user.a", "b")
                        .pax("mtime", "1.5")
                        .file("d/f", "x".repeat(1000))
                        .symlink("l", "d/f")
                        .hardLink("h", "d/f")
                        .pax("GNU.sparse.major", "1")
                        .pax("GNU.sparse.realsize", "5000")
                        .file("s", "1\n100\n5\n" + "\0".repeat(504) + "hello")
                        .device('3', "c", 1, 3)
                        .file("d/.wh.x", "")
                        .bytes();
        var random = new Random(42);
        var image = directory.resolve("fuzz.erofs");
        for (int round = 0; round < 3000; round++) {
            var damaged = tar.clone();
            for (int hit = random.nextInt(1, 5); hit > 0; hit--) {
                int at = random.nextInt(damaged.length);
                damaged[at] = (byte) random.nextInt(256);
                if (random.nextInt(4) > 0) {
                    reseal(damaged, at / 512 * 512);
                }
            }
            try {
                Layers.write(new ByteArrayInputStream(damaged), image, Layers.LIMITS);
                ErofsReader.read(image);
            } catch (PodException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    }

    /** Makes the checksum right again, so that the damage is looked at. */
    private static void reseal(byte[] tar, int from) {
        var block = Arrays.copyOfRange(tar, from, from + 512);
        if (block[257] == 'u') {
            TarBytes.seal(block);
            System.arraycopy(block, 0, tar, from, 512);
        }
    }

    private static void assertRefused(TarBytes tar, String... parts) {
        assertCorrupt(tar.bytes(), parts);
    }

    private static void assertCorrupt(byte[] tar, String... parts) {
        assertThatThrownBy(() -> Layers.image(tar))
                .isInstanceOfSatisfying(
                        PodException.class,
                        e ->
                                assertThat(e.kind())
                                        .isIn(
                                                PodException.Kind.CORRUPT,
                                                PodException.Kind.EXHAUSTED))
                .message()
                .contains(parts);
    }

    private void assertExhausted(TarBytes tar, LayerLimits limits, String... parts) {
        assertThatThrownBy(() -> Layers.write(tar.stream(), directory.resolve("x"), limits))
                .isInstanceOfSatisfying(
                        PodException.class,
                        e -> assertThat(e.kind()).isEqualTo(PodException.Kind.EXHAUSTED))
                .message()
                .contains(parts);
    }
}
