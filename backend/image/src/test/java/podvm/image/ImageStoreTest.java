package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.Image;
import podvm.engine.Images;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;
import podvm.image.content.Sha256;

class ImageStoreTest {
    @TempDir Path directory;
    private ImageStore store;

    @BeforeEach
    void open() throws PodException {
        store = ImageStore.open(directory, Layers.OPTIONS);
    }

    @AfterEach
    void close() throws PodException {
        store.close();
    }

    private static final byte[] BASE = new TarBytes().file("bin/sh", "shell").bytes();
    private static final byte[] TOP = new TarBytes().file("app", "app").bytes();

    private List<Image> load(byte[] archive, String name) throws Exception {
        return store.load(
                new ByteArrayInputStream(archive), Optional.ofNullable(name), Progress.NONE);
    }

    @Test
    void aRootFileSystemBecomesAnImageOfOneLayer() throws Exception {
        for (var archive : List.of(BASE, TarBytes.gzip(BASE))) {
            var image = load(archive, "rootfs").getFirst();
            assertThat(image.names()).containsExactly("docker.io/library/rootfs:latest");
            assertThat(image.config().cmd()).containsExactly("/bin/sh");
            assertThat(image.config().env().getFirst()).startsWith("PATH=");
            assertThat(image.platform()).isEqualTo(Layers.OPTIONS.platform());
            var disk = image.layers().getFirst();
            assertThat(disk.diffId()).isEqualTo(Sha256.of(BASE));
            assertThat(disk.bytes()).isEqualTo(Files.size(disk.file()));
            assertThat(Files.isWritable(disk.file()) && !isRoot()).isFalse();
            assertThat(ErofsReader.read(disk.file()).get("bin/sh").text()).isEqualTo("shell");
        }
        assertThat(store.list()).hasSize(1);
    }

    private static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    @Test
    void aRootFileSystemNeedsAName() {
        assertThatThrownBy(() -> load(BASE, null)).hasMessageContaining("root file system");
        assertThat(unfinished()).isEmpty();
    }

    @Test
    void anOciLayoutIsLoadedUnderItsOwnNames() throws Exception {
        var oci = new OciBytes();
        var manifest = oci.image("amd64", List.of(BASE, TOP));
        var archive =
                oci.layout(
                        OciBytes.descriptor(
                                OciBytes.OCI_MANIFEST,
                                manifest,
                                OciBytes.named("io.containerd.image.name", "quay.io/team/app:1")));
        var image = load(archive, null).getFirst();
        assertThat(image.names()).containsExactly("quay.io/team/app:1");
        assertThat(image.layers())
                .extracting(disk -> disk.diffId())
                .containsExactly(Sha256.of(BASE), Sha256.of(TOP));
        assertThat(image.config().cmd()).containsExactly("run");
        assertThat(image.config().user()).isEqualTo("7:8");
        assertThat(image.config().labels()).isEqualTo(Map.of("l", "v"));
        assertThat(image.created()).isEqualTo(Instant.parse("2024-05-06T07:08:09.5Z"));
        assertThat(load(TarBytes.gzip(archive), "other").getFirst().names())
                .containsExactly("docker.io/library/other:latest", "quay.io/team/app:1");
    }

    @Test
    void aMereTagInAnOciLayoutIsNoName() throws Exception {
        var oci = new OciBytes();
        var manifest = oci.image("amd64", List.of(BASE));
        var archive =
                oci.layout(
                        OciBytes.descriptor(
                                OciBytes.OCI_MANIFEST,
                                manifest,
                                OciBytes.named("org.opencontainers.image.ref.name", "latest")));
        assertThatThrownBy(() -> load(archive, null))
                .hasMessageContaining("does not tell the name");
        assertThat(load(archive, "named")).hasSize(1);
    }

    @Test
    void theImageOfThisPlatformIsChosenFromANestedIndex() throws Exception {
        var oci = new OciBytes();
        var arm = oci.image("arm64", List.of(TOP));
        var amd = oci.image("amd64", List.of(BASE));
        var index =
                oci.index(
                        OciBytes.descriptor(OciBytes.OCI_MANIFEST, arm, OciBytes.platform("arm64")),
                        OciBytes.descriptor(
                                OciBytes.OCI_MANIFEST, amd, OciBytes.platform("amd64")));
        oci.blobs().remove(arm.digest());
        var archive = oci.layout(OciBytes.descriptor(OciBytes.OCI_INDEX, index, ""));
        assertThat(load(archive, "multi").getFirst().layers().getFirst().diffId())
                .isEqualTo(Sha256.of(BASE));
    }

    @Test
    void anImageOfAnotherPlatformIsRefusedNamingBoth() throws Exception {
        var oci = new OciBytes();
        var arm = oci.image("arm64", List.of(TOP));
        var archive = oci.layout(OciBytes.descriptor(OciBytes.OCI_MANIFEST, arm, ""));
        assertKind(PodException.Kind.UNSUPPORTED, () -> load(archive, "arm"))
                .hasMessageContainingAll("linux/arm64", "linux/amd64");
        assertThat(layerFiles()).isEmpty();
    }

    @Test
    void aDockerArchiveOfTheOldFormIsLoadedLinksIncluded() throws Exception {
        var config = OciBytes.config("amd64", List.of(BASE, TOP, BASE));
        var id = Sha256.of(OciBytes.utf(config)).hex();
        var tar =
                new TarBytes()
                        .file("a".repeat(64) + "/layer.tar", BASE)
                        .file("b".repeat(64) + "/layer.tar", TOP)
                        .symlink(
                                "c".repeat(64) + "/layer.tar",
                                "../" + "a".repeat(64) + "/layer.tar")
                        .file(id + ".json", config)
                        .file(
                                "manifest.json",
                                """
                                [{"Config":"%s.json","RepoTags":["app:1","quay.io/a:2"],
                                "Layers":["%s/layer.tar","%s/layer.tar","%s/layer.tar"]}]\
                                """
                                        .formatted(
                                                id,
                                                "a".repeat(64),
                                                "b".repeat(64),
                                                "c".repeat(64)));
        var image = load(tar.bytes(), null).getFirst();
        assertThat(image.id().hex()).isEqualTo(id);
        assertThat(image.names()).containsExactly("docker.io/library/app:1", "quay.io/a:2");
        // the layer that occurs twice counts where it stands highest
        assertThat(image.layers())
                .extracting(disk -> disk.diffId())
                .containsExactly(Sha256.of(TOP), Sha256.of(BASE));
    }

    @Test
    void aLayerThatIsNotWhatItsConfigurationSaysLeavesNothing() throws Exception {
        var oci = new OciBytes();
        var manifest = oci.imageWith(OciBytes.config("amd64", List.of(TOP)), List.of(BASE));
        var archive = oci.layout(OciBytes.descriptor(OciBytes.OCI_MANIFEST, manifest, ""));
        assertKind(PodException.Kind.CORRUPT, () -> load(archive, "bad"))
                .hasMessageContainingAll(Sha256.of(TOP).toString(), Sha256.of(BASE).toString());
        assertThat(layerFiles()).isEmpty();
        assertThat(unfinished()).isEmpty();
        assertThat(store.list()).isEmpty();
    }

    @Test
    void aBlobThatDoesNotMatchItsDescriptorIsRefused() throws Exception {
        var oci = new OciBytes();
        var manifest = oci.image("amd64", List.of(BASE));
        var layer = oci.blobs().keySet().iterator().next();
        oci.blobs().put(layer, TarBytes.gzip(TOP));
        var archive = oci.layout(OciBytes.descriptor(OciBytes.OCI_MANIFEST, manifest, ""));
        assertKind(PodException.Kind.CORRUPT, () -> load(archive, "bad"))
                .hasMessageContaining(layer.toString());
    }

    @Test
    void whatIsNoTarIsSaidToBeNoneBeforeANameIsAskedFor() throws Exception {
        var text = OciBytes.utf("# Read me\n".repeat(100));
        for (var file : List.of(text, TarBytes.gzip(text), new byte[] {1, 2, 3})) {
            assertKind(PodException.Kind.CORRUPT, () -> load(file, "named"))
                    .hasMessageContaining("not a tar archive");
            assertKind(PodException.Kind.CORRUPT, () -> load(file, null))
                    .hasMessageContaining("not a tar archive");
        }
        assertKind(PodException.Kind.INVALID, () -> load(new byte[0], "none"))
                .hasMessageContaining("empty");
        assertThat(unfinished()).isEmpty();
    }

    @Test
    void imagesAreFoundByNameIdAndStartOfId() throws Exception {
        var image = load(BASE, "localhost/busybox:stable").getFirst();
        var hex = image.id().hex();
        for (var text :
                List.of(
                        "localhost/busybox:stable",
                        "sha256:" + hex,
                        hex,
                        hex.substring(0, 6),
                        "sha256:" + hex.substring(0, 12))) {
            assertThat(store.find(text)).as(text).contains(image);
        }
        assertThat(store.find("busybox")).isEmpty();
        assertThat(store.find("ffffff".equals(hex.substring(0, 6)) ? "eeeeee" : "ffffff"))
                .isEmpty();
        assertKind(PodException.Kind.INVALID, () -> store.find("no name"));
    }

    @Test
    void removingTheLastNameRemovesTheLayersThatNothingElseUses() throws Exception {
        var oci = new OciBytes();
        var both = oci.image("amd64", List.of(BASE, TOP));
        load(oci.layout(OciBytes.descriptor(OciBytes.OCI_MANIFEST, both, "")), "both");
        load(BASE, "base");
        load(BASE, "base:again");
        assertThat(layerFiles()).hasSize(2);
        store.remove("both");
        assertThat(layerFiles()).hasSize(1);
        store.remove("base");
        assertThat(layerFiles()).hasSize(1);
        store.remove(store.find("base:again").orElseThrow().id().toString());
        assertThat(layerFiles()).isEmpty();
        assertThat(store.list()).isEmpty();
        assertKind(PodException.Kind.NOT_FOUND, () -> store.remove("base"));
    }

    @Test
    void anImageWhoseNameMovedOnStaysUntilItIsPruned() throws Exception {
        var old = load(BASE, "app").getFirst();
        load(TOP, "app");
        assertThat(store.find(old.id().toString()).orElseThrow().names()).isEmpty();
        var pruned = store.prune(Images.Unwanted.NAMELESS);
        assertThat(pruned.images()).containsExactly(old.id());
        assertThat(pruned.bytes()).isEqualTo(old.diskBytes());
        assertThat(store.list()).hasSize(1);
        assertThat(layerFiles()).hasSize(1);
    }

    @Test
    void imagesOutliveTheProcessAndLeftoversDoNot() throws Exception {
        var image = load(BASE, "app").getFirst();
        store.close();
        Files.writeString(directory.resolve("tmp/layer-123"), "half");
        Files.writeString(directory.resolve("layers/sha256/" + "0".repeat(64) + ".erofs"), "");
        Files.writeString(directory.resolve("layers/sha256/" + "1".repeat(64) + ".verity"), "");
        Files.writeString(directory.resolve("references/damaged.json"), "{");
        open();
        assertThat(store.list()).containsExactly(image);
        assertThat(unfinished()).isEmpty();
        assertThat(layerFiles()).hasSize(1);
    }

    @Test
    void anImageWhoseLayerIsGoneIsForgotten() throws Exception {
        var image = load(BASE, "app").getFirst();
        store.close();
        Files.delete(image.layers().getFirst().file());
        open();
        assertThat(store.list()).isEmpty();
        assertThat(load(BASE, "app")).containsExactly(image);
    }

    @Test
    void aStoreInUseIsRefusedWithTheProcessThatHasIt() {
        assertKind(PodException.Kind.CONFLICT, () -> ImageStore.open(directory, Layers.OPTIONS))
                .hasMessageContainingAll(
                        directory.toString(), "process " + ProcessHandle.current().pid());
    }

    @Test
    void pullPoliciesLookAtTheStoreFirst() throws Exception {
        var image = load(BASE, "localhost/app:1").getFirst();
        var soon = Deadline.after(Duration.ofSeconds(5));
        for (var policy : List.of(PullPolicy.NEVER, PullPolicy.IF_NOT_PRESENT)) {
            assertThat(store.pull("localhost/app:1", policy, Progress.NONE, soon)).isEqualTo(image);
        }
        assertKind(
                        PodException.Kind.NOT_FOUND,
                        () -> store.pull("x", PullPolicy.NEVER, Progress.NONE, soon))
                .extracting(e -> ((PodException) e).remedy())
                .isEqualTo("podvm pull docker.io/library/x:latest");
    }

    @Test
    void progressIsTold() throws Exception {
        var steps = Collections.synchronizedList(new ArrayList<String>());
        store.load(
                new ByteArrayInputStream(BASE),
                Optional.of("a"),
                (step, done, total) -> steps.add(step + " " + done + " of " + total));
        assertThat(steps).last().isEqualTo("archive %d of -1".formatted(BASE.length));
    }

    @Test
    void anInterruptEndsALoadAndLeavesNothing() throws Exception {
        var ended = new ArrayList<Throwable>();
        var endless =
                new InputStream() {
                    private int at;

                    @Override
                    public int read() {
                        throw new AssertionError("read in pieces");
                    }

                    @Override
                    public int read(byte[] target, int from, int length) throws IOException {
                        if (at == BASE.length - 1024) {
                            try {
                                Thread.sleep(60_000);
                            } catch (InterruptedException e) {
                                throw new InterruptedIOException();
                            }
                        }
                        int count = Math.min(length, BASE.length - 1024 - at);
                        System.arraycopy(BASE, at, target, from, count);
                        at += count;
                        return count;
                    }
                };
        var thread =
                Thread.startVirtualThread(() -> {
                    try {
                        store.load(endless, Optional.of("a"), Progress.NONE);
                    } catch (PodException | InterruptedException e) {
                        ended.add(e);
                    }
                });
        Thread.sleep(300);
        thread.interrupt();
        assertThat(thread.join(Duration.ofSeconds(10))).isTrue();
        assertThat(ended).singleElement().isInstanceOf(InterruptedException.class);
        assertThat(unfinished()).isEmpty();
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> assertKind(
            PodException.Kind kind, Throwing call) {
        return assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        PodException.class, e -> assertThat(e.kind()).isEqualTo(kind));
    }

    private interface Throwing {
        void run() throws Exception;
    }

    /** Those of which anything is there, disk or hash tree. */
    private List<String> layerFiles() throws IOException {
        return files("layers/sha256").stream()
                .map(file -> file.getFileName().toString().replaceFirst("[.].*", ""))
                .distinct()
                .toList();
    }

    private List<Path> unfinished() {
        try {
            return files("tmp");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<Path> files(String name) throws IOException {
        try (Stream<Path> list = Files.list(directory.resolve(name))) {
            return list.toList();
        }
    }
}
