package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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
        var tars = layers();
        var oci = new OciBytes();
        var image = oci.image("amd64", tars);
        var layout = Files.createDirectory(directory.resolve("layout"));
        Files.write(
                directory.resolve("layout.tar"),
                oci.layout(
                        OciBytes.descriptor(
                                OciBytes.OCI_MANIFEST,
                                image,
                                OciBytes.named("org.opencontainers.image.ref.name", "it"))));
        Tool.run("tar", "-C", layout.toString(), "-xf", directory.resolve("layout.tar").toString());
        var bundle = directory.resolve("bundle");
        Tool.run("umoci", "unpack", "--image", layout + ":it", bundle.toString());
        var expected = TreeListing.of(bundle.resolve("rootfs"));
        assertThat(expected).hasSizeGreaterThan(9).doesNotContainKeys("etc/gone", "opt/old");
        try (var mounts = new Mounted()) {
            var lowest = new ArrayList<String>();
            for (var tar : tars) {
                int number = lowest.size();
                var disk = directory.resolve(number + ".erofs");
                Layers.write(new ByteArrayInputStream(tar), disk, Layers.LIMITS);
                var mounted = mounts.erofs(disk, directory.resolve("layer" + number));
                lowest.addFirst(mounted.toString());
            }
            var merged = mounts.overlay(String.join(":", lowest), directory.resolve("merged"));
            assertThat(TreeListing.of(merged)).isEqualTo(expected);
        }
    }

    /**
     * Each has entries for the directories it changes: those it only implies look as if made anew.
     */
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
