package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Image;
import podvm.engine.ImageExport;
import podvm.engine.Images.LayerPacking;
import podvm.engine.PodException;
import podvm.engine.Progress;

/** What is exported is read by others, and by this store as the same tree. */
class ExportTest {
    @TempDir Path directory;
    private ImageStore store;

    @BeforeEach
    void open() throws PodException {
        store = ImageStore.open(directory.resolve("store"), Layers.OPTIONS);
    }

    @AfterEach
    void close() throws PodException {
        store.close();
    }

    private record Exported(byte[] bytes, ImageExport told) {}

    private Exported export(String name, LayerPacking packing) throws Exception {
        var out = new ByteArrayOutputStream();
        var told = store.export(name, packing, out, Progress.NONE);
        assertThat(told.bytes()).isEqualTo(out.size());
        return new Exported(out.toByteArray(), told);
    }

    private Image load(byte[] archive, String name) throws Exception {
        return store.load(
                        new ByteArrayInputStream(archive),
                        Optional.of(name).filter(text -> !text.isEmpty()),
                        Progress.NONE)
                .getFirst();
    }

    /** All that a guest could see of a layer; inode numbers and places of data are not. */
    private static Map<String, List<Object>> tree(Path disk) throws Exception {
        return ErofsReader.read(disk).entrySet().stream()
                .collect(
                        Collectors.toMap(
                                Map.Entry::getKey,
                                entry -> {
                                    var node = entry.getValue();
                                    boolean directory = (node.mode() & 0170000) == 0040000;
                                    return List.of(
                                            node.mode(),
                                            node.uid(),
                                            node.gid(),
                                            node.seconds(),
                                            node.nanos(),
                                            node.links(),
                                            node.rdev(),
                                            node.xattrs(),
                                            directory ? "" : node.text());
                                }));
    }

    private static byte[] everything() {
        return SPECIALS.bytes();
    }

    /** Thousands of names, so that a directory takes many blocks. */
    @Test
    void aLargeDirectoryIsExportedWhole() throws Exception {
        var tar = new TarBytes();
        for (int at = 0; at < 3000; at++) {
            tar.file("many/file-" + at, at % 7 == 0 ? "content " + at : "");
        }
        var original = load(tar.bytes(), "localhost/many:1");
        var again = load(export("localhost/many:1", LayerPacking.GZIP).bytes(), "x");
        assertThat(tree(again.layers().getFirst().file()))
                .hasSize(3002)
                .isEqualTo(tree(original.layers().getFirst().file()));
    }

    private static final TarBytes SPECIALS =
            new TarBytes()
                    .directory("etc/")
                    .file("etc/passwd", "root:x:0:0\n")
                    .file("etc/empty", "")
                    .file("etc/" + "n".repeat(250), "long name")
                    .file("a/".repeat(80) + "deep", "x".repeat(5000))
                    .symlink("etc/link", "t".repeat(300))
                    .file("etc/.wh.gone", "")
                    .directory("opaque/")
                    .file("opaque/.wh..wh..opq", "")
                    .file("opaque/new", "new")
                    .hardLink("etc/passwd-too", "etc/passwd")
                    .hardLink("opaque/passwd", "etc/passwd")
                    .device('3', "null", 1, 3)
                    .device('4', "sda", 8, 1_000_000)
                    .entry('6', "fifo", "", new byte[0])
                    .mode(06755)
                    .owner(3_000_000_000L, 2_500_000)
                    .file("setuid", "s")
                    .pax("mtime", "-1.25")
                    .file("before-1970", "")
                    .pax("mtime", "-7.000000001")
                    .file("longer-before", "")
                    .pax("mtime", "99999999999.123456789")
                    .file("late", "")
                    .pax("SCHILY.xattr.user.binary", new byte[] {0, 1, (byte) 0xff, '=', '\n'})
                    .pax("SCHILY.xattr.security.capability", "v".repeat(20))
                    .pax("SCHILY.xattr.system.posix_acl_access", "a".repeat(28))
                    .file("attributes", "x".repeat(4096))
                    .pax("SCHILY.xattr.user.of", "directory")
                    .mode(01777)
                    .directory("sticky/")
                    .file("\u00e9\u00ff\u0080", "a name of any bytes")
                    .file("\u00e9".repeat(101), "a long one of them");

    @Test
    void whatIsExportedIsImportedAsTheSameTree() throws Exception {
        var original = load(everything(), "localhost/app:1");
        for (var packing : LayerPacking.values()) {
            var exported = export("localhost/app:1", packing);
            assertThat(exported.told().stored()).isEqualTo(original.id());
            var again = load(exported.bytes(), "localhost/again:1");
            assertThat(again.id()).isEqualTo(exported.told().exported());
            assertThat(again.config()).isEqualTo(original.config());
            assertThat(tree(again.layers().getFirst().file()))
                    .isEqualTo(tree(original.layers().getFirst().file()));
        }
    }

    @Test
    void anExportOfAnImportedExportIsTheSameByteForByte() throws Exception {
        load(everything(), "localhost/app:1");
        var first = export("localhost/app:1", LayerPacking.GZIP);
        assertThat(export("localhost/app:1", LayerPacking.GZIP).bytes()).isEqualTo(first.bytes());
        assertThat(first.told().exported()).isNotEqualTo(first.told().stored());
        store.remove("localhost/app:1");
        load(first.bytes(), "");
        var second = export("localhost/app:1", LayerPacking.GZIP);
        assertThat(second.told().exported()).isEqualTo(second.told().stored());
        assertThat(second.bytes()).isEqualTo(first.bytes());
    }

    @Test
    void aLayerThatStandsTwiceInAnImageIsWrittenOnceAndNamedTwice() throws Exception {
        var base = new TarBytes().file("a", "a").bytes();
        var top = new TarBytes().file("b", "b").bytes();
        var oci = new OciBytes();
        var manifest = oci.image("amd64", List.of(base, top, base));
        load(
                oci.layout(OciBytes.descriptor(OciBytes.OCI_MANIFEST, manifest, "")),
                "localhost/twice:1");
        var again = load(export("localhost/twice:1", LayerPacking.PLAIN).bytes(), "x");
        assertThat(store.details(again.id().toString()).layers()).hasSize(3);
        assertThat(again.layers()).hasSize(2);
    }

    @Test
    void aDamagedLayerIsNotExported() throws Exception {
        var image = load(everything(), "localhost/app:1");
        var file = image.layers().getFirst().file();
        var bytes = Files.readAllBytes(file);
        bytes[4096] ^= 1;
        Files.delete(file);
        Files.write(file, bytes);
        try {
            export("localhost/app:1", LayerPacking.PLAIN);
        } catch (PodException e) {
            assertThat(e.kind()).isEqualTo(PodException.Kind.CORRUPT);
            assertThat(e).hasMessageContaining("damaged");
            return;
        }
        throw new AssertionError("damage was passed on");
    }

    @Test
    void skopeoAndTarReadAnExport() throws Exception {
        Tool.need("skopeo");
        Tool.need("tar");
        load(everything(), "localhost/app:1");
        for (var packing : LayerPacking.values()) {
            var exported = export("localhost/app:1", packing);
            var archive = Files.write(directory.resolve(packing + ".tar"), exported.bytes());
            assertThat(Tool.run("tar", "-tf", archive.toString())).contains("oci-layout");
            var copied = directory.resolve(packing + "-docker.tar");
            Tool.run(
                    "skopeo",
                    "copy",
                    "--insecure-policy",
                    "oci-archive:" + archive + ":1",
                    "docker-archive:" + copied + ":localhost/skopeo:1");
            assertThat(load(Files.readAllBytes(copied), "").id())
                    .isEqualTo(exported.told().exported());
        }
    }
}
