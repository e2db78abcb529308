package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Progress;
import podvm.image.layer.Mounted;
import podvm.image.layer.TreeListing;

/** Layer disks, stacked as a guest stacks them, against what umoci unpacks of the same image. */
class OverlayTest {
    @TempDir Path directory;

    @BeforeAll
    static void needs() throws Exception {
        Tool.need("umoci");
        Tool.need("getfattr");
        var obstacle = Mounted.obstacle();
        assumeTrue(obstacle.isEmpty(), () -> obstacle.orElse(""));
        assumeTrue(
                Files.readString(Path.of("/proc/filesystems")).contains("overlay"),
                "this kernel has no overlay");
    }

    @Test
    void stackedLayersAreWhatUmociUnpacks() throws Exception {
        assertThat(compared(layers()))
                .hasSizeGreaterThan(9)
                .doesNotContainKeys("etc/gone", "opt/old");
    }

    @Test
    void directoriesThatALayerOnlyImpliesLookAsLowerLayersHaveThem() throws Exception {
        assertThat(compared(layersThatImply()))
                .containsKeys("tmp/x", "srv/a/b/new", "opened/in", "again")
                .doesNotContainKeys("gone", "gone/below", "opened/old", "srv/a/b/old")
                .hasEntrySatisfying("tmp", line -> assertThat(line).startsWith("d 1777 0:5 "))
                .hasEntrySatisfying("again", line -> assertThat(line).startsWith("f "))
                .hasEntrySatisfying("srv/a", line -> assertThat(line).contains("750 7:8"));
    }

    /** Holds that stacking and unpacking give the same tree, and tells it. */
    private Map<String, String> compared(List<byte[]> tars) throws Exception {
        var oci = new OciBytes();
        var archive =
                oci.layout(
                        OciBytes.descriptor(
                                OciBytes.OCI_MANIFEST,
                                oci.image("amd64", tars),
                                OciBytes.named("org.opencontainers.image.ref.name", "it")));
        var layout = Files.createDirectory(directory.resolve("layout"));
        Files.write(directory.resolve("layout.tar"), archive);
        Tool.run("tar", "-C", layout.toString(), "-xf", directory.resolve("layout.tar").toString());
        var bundle = directory.resolve("bundle");
        Tool.run("umoci", "unpack", "--image", layout + ":it", bundle.toString());
        var expected = TreeListing.of(bundle.resolve("rootfs"));
        try (var store = ImageStore.open(directory.resolve("store"), Layers.OPTIONS);
                var mounts = new Mounted()) {
            var image =
                    store.load(new ByteArrayInputStream(archive), Optional.of("it"), Progress.NONE)
                            .getFirst();
            var lowest = new ArrayList<String>();
            for (var disk : image.layers()) {
                var mount = directory.resolve("layer" + lowest.size());
                lowest.addFirst(mounts.erofs(disk.file(), mount).toString());
            }
            var merged = mounts.overlay(String.join(":", lowest), directory.resolve("merged"));
            assertThat(TreeListing.of(merged)).isEqualTo(expected);
        }
        return expected;
    }

    /**
     * No layer above the first describes a directory that is there before; what the second hides
     * must stay hidden.
     */
    private static List<byte[]> layersThatImply() {
        var base = new TarBytes().mode(0711).directory("./").mode(01777).owner(0, 5);
        base.directory("tmp/").owner(7, 8).mode(0700).pax("SCHILY.xattr.user.note", "base");
        base.directory("srv/").mode(0750).owner(7, 8).directory("srv/a/").directory("srv/a/b/");
        base.file("srv/a/b/old", "1").mode(0701).directory("opened/").file("opened/old", "2");
        base.mode(0702).directory("gone/").mode(0703).directory("gone/below/");
        base.mode(0704).directory("again/").file("again/x", "3");
        base.mode(0705).directory("later/").mode(0706).directory("later/still/");
        var second = new TarBytes().file("tmp/x", "4").file("srv/a/.wh.b", "");
        second.file("opened/.wh..wh..opq", "").file("opened/in", "5").file(".wh.gone", "");
        second.file("later/still/here", "6").mode(0751).owner(9, 9).directory("srv/");
        var third = new TarBytes().mode(0770).directory("srv/a/b/").file("tmp/y", "7");
        third.file("again/z", "8").file("later/still/there", "9");
        var fourth = new TarBytes().file("srv/a/b/new", "10").file(".wh.again", "");
        fourth.file("tmp/.wh.y", "");
        var fifth = new TarBytes().file("again", "a file now");
        return List.of(base.bytes(), second.bytes(), third.bytes(), fourth.bytes(), fifth.bytes());
    }

    /** Each has entries for the directories it changes. */
    private static List<byte[]> layers() {
        var base = new TarBytes().directory("./").directory("etc/").directory("opt/");
        base.file("etc/gone", "1").file("etc/kept", "2").file("opt/old", "3");
        base.directory("opt/tree/").file("opt/tree/a", "4").directory("opt/tree/deep/");
        base.file("opt/tree/deep/b", "5").symlink("etc/link", "kept").file("swap", "file");
        base.directory("swapped/").file("swapped/in", "6").directory("both/").file("both/x", "7");
        var second = new TarBytes().directory("./").directory("etc/").file("etc/.wh.gone", "");
        second.directory("opt/").file("opt/.wh.old", "").directory("opt/tree/");
        second.file("opt/tree/.wh..wh..opq", "").file("opt/tree/new", "8");
        second.file(".wh.swap", "").directory("swap/").file("swap/now", "9");
        second.file(".wh.swapped", "").directory("both/").file("both/.wh.x", "");
        var third = new TarBytes().directory("./").file("swapped", "a file").directory("etc/");
        third.mode(04755).owner(3, 4).file("etc/kept", "changed").file("etc/gone2", "");
        third.hardLink("etc/again", "etc/kept").directory("both/").file("both/x", "back");
        var fourth = new TarBytes().directory("./").directory("etc/").directory("opt/");
        fourth.file("etc/.wh.gone2", "").file("opt/.wh.tree", "");
        fourth.directory("opt/tree/").file("opt/tree/last", "10");
        return List.of(base.bytes(), second.bytes(), third.bytes(), fourth.bytes());
    }
}
