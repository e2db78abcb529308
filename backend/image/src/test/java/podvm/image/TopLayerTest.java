package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Image;
import podvm.engine.Images;
import podvm.engine.LayerCheck;
import podvm.engine.LayerDisk;
import podvm.engine.Progress;
import podvm.image.content.Sha256;

/** The layer of directories that goes on top where a layer implies what a lower one describes. */
class TopLayerTest {
    private static final byte[] BASE =
            new TarBytes().mode(01777).directory("tmp/").file("tmp/old", "1").bytes();
    private static final byte[] IMPLIES = new TarBytes().file("tmp/new", "2").bytes();
    private static final byte[] DESCRIBES =
            new TarBytes().mode(01777).directory("tmp/").file("tmp/new", "2").bytes();

    @TempDir Path directory;
    private ImageStore store;

    @BeforeEach
    void open() throws Exception {
        store = ImageStore.open(directory, Layers.OPTIONS);
    }

    @AfterEach
    void close() throws Exception {
        store.close();
    }

    private void reopen() throws Exception {
        store.close();
        open();
    }

    private Image load(String name, byte[]... layers) throws Exception {
        var oci = new OciBytes();
        var manifest =
                OciBytes.descriptor(OciBytes.OCI_MANIFEST, oci.image("amd64", List.of(layers)), "");
        return loaded(oci.layout(manifest), name);
    }

    private Image loaded(byte[] archive, String name) throws Exception {
        return store.load(new ByteArrayInputStream(archive), Optional.of(name), Progress.NONE)
                .getFirst();
    }

    private List<Path> disks() throws Exception {
        return StoreFiles.list(directory.resolve("layers/sha256")).stream()
                .filter(file -> file.toString().endsWith(".erofs"))
                .toList();
    }

    private List<Path> tops() throws Exception {
        return StoreFiles.list(directory.resolve("tops/sha256"));
    }

    @Test
    void theTopHasTheDirectoryAloneAsTheLowerLayerDescribesIt() throws Exception {
        var layers = load("app", BASE, IMPLIES).layers();
        assertThat(layers).hasSize(3);
        var tree = ErofsReader.read(layers.getLast().file());
        assertThat(tree).containsOnlyKeys("", "tmp");
        assertThat(tree.get("tmp").mode()).isEqualTo(0041777);
        assertThat(tree.get("tmp").seconds()).isEqualTo(1_000_000_000);
    }

    @Test
    void imagesThatDescribeTheirDirectoriesHaveNoTop() throws Exception {
        assertThat(load("a", BASE, DESCRIBES).layers()).hasSize(2);
        assertThat(load("b", IMPLIES).layers()).hasSize(1);
        assertThat(load("c", IMPLIES, BASE).layers()).hasSize(2);
        assertThat(load("d", new TarBytes().directory("./").bytes(), IMPLIES).layers()).hasSize(2);
        assertThat(tops()).isEmpty();
    }

    @Test
    void whatALayerBetweenHidesIsNotBroughtBack() throws Exception {
        for (var between :
                List.of(
                        new TarBytes().file(".wh.tmp", ""),
                        new TarBytes().file(".wh..wh..opq", ""),
                        new TarBytes().file("tmp", "a file"),
                        new TarBytes().symlink("tmp", "var"))) {
            assertThat(load("app", BASE, between.bytes(), IMPLIES).layers()).hasSize(3);
            assertThat(load("app", BASE, IMPLIES, between.bytes()).layers()).hasSize(3);
        }
        var replaced = new TarBytes().file(".wh.tmp", "").file("tmp/new", "2").bytes();
        assertThat(load("app", BASE, replaced).layers()).hasSize(2);
        var below = new TarBytes().file(".wh.srv", "").file("srv/tmp/new", "2").bytes();
        var deep = new TarBytes().mode(0700).directory("srv/").directory("srv/tmp/").bytes();
        assertThat(load("app", deep, below).layers()).hasSize(2);
    }

    @Test
    void theSameImageHasTheSameTopEverywhereAndOthersShareIt() throws Exception {
        var top = load("app", BASE, IMPLIES).layers().getLast();
        var more = new TarBytes().directory("opt/").bytes();
        assertThat(load("other", BASE, IMPLIES, more).layers()).endsWith(top).hasSize(4);
        var bytes = Files.readAllBytes(top.file());
        store.remove("app");
        assertThat(disks()).contains(top.file());
        store.prune(Images.Unwanted.ALL);
        assertThat(disks()).isEmpty();
        assertThat(tops()).isEmpty();
        var again = load("app", BASE, IMPLIES).layers().getLast();
        assertThat(again.diffId()).isEqualTo(top.diffId());
        assertThat(Files.readAllBytes(again.file())).isEqualTo(bytes);
    }

    @Test
    void itIsThereAfterARestartAndIsShownAndVerified() throws Exception {
        var layers = load("app", BASE, IMPLIES).layers();
        reopen();
        assertThat(store.find("app").orElseThrow().layers()).isEqualTo(layers);
        assertThat(store.details("app").layers()).hasSize(3);
        assertThat(store.verify(Optional.empty(), Progress.NONE))
                .extracting(LayerCheck::diffId)
                .containsExactlyElementsOf(layers.stream().map(LayerDisk::diffId).toList());
    }

    @Test
    void aDamagedTopIsFoundAndTheNextImportBringsItBack() throws Exception {
        var top = load("app", BASE, IMPLIES).layers().getLast();
        Files.delete(top.file());
        reopen();
        assertThat(store.find("app")).isEmpty();
        assertThat(load("app", BASE, IMPLIES).layers()).endsWith(top).hasSize(3);
    }

    @Test
    void exportAndImportKeepWhatIsImplied() throws Exception {
        var first = load("app", BASE, IMPLIES);
        var archive = new ByteArrayOutputStream();
        store.export("app", Images.LayerPacking.PLAIN, archive, Progress.NONE);
        store.prune(Images.Unwanted.ALL);
        var second = loaded(archive.toByteArray(), "app");
        assertThat(second.layers()).hasSize(3).endsWith(first.layers().getLast());
        assertThat(ErofsReader.read(second.layers().get(1).file())).containsKey("tmp/new");
    }

    @Test
    void layersOfBeforeTheyListedSuchDirectoriesAreUsedAsTheyAre() throws Exception {
        load("app", BASE, IMPLIES);
        store.remove("app");
        load("base", BASE, new TarBytes().file("x", "").bytes(), IMPLIES);
        var record = directory.resolve("records/sha256/" + Sha256.of(IMPLIES).hex() + ".json");
        var old = Files.readString(record).replaceFirst(",?\"implied\":\\[[^]]*]", "");
        assertThat(old).doesNotContain("implied");
        Files.writeString(record, old.replace("{,", "{"));
        reopen();
        assertThat(store.find("base").orElseThrow().layers()).hasSize(4);
        assertThat(load("app", BASE, IMPLIES).layers()).hasSize(2);
    }

    @Test
    void onlyTheNearestOfVeryManyAreListed() throws Exception {
        var tar = new TarBytes();
        for (int at = 0; at < 5000; at++) {
            tar.file("a/b" + at + "/c", "");
        }
        load("app", tar.bytes());
        var record = directory.resolve("records/sha256/" + Sha256.of(tar.bytes()).hex() + ".json");
        var listed = LayerRecord.parse(Files.readAllBytes(record), record).implied();
        assertThat(listed).hasSize(4096).contains("", "a", "a/b0");
    }
}
