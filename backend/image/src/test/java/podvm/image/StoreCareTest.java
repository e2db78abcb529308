package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.Image;
import podvm.engine.ImageEvent;
import podvm.engine.Images.Unwanted;
import podvm.engine.LayerCheck;
import podvm.engine.LayerDisk;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;
import podvm.image.content.Sha256;
import podvm.image.trust.SignaturePolicy;

/** What the store does for images after they are there. */
@Timeout(60)
class StoreCareTest {
    private static final byte[] BASE = new TarBytes().file("bin/sh", "shell").bytes();
    private static final byte[] TOP = new TarBytes().file("app", "app").bytes();

    @TempDir Path directory;
    private final List<ImageEvent> events = new ArrayList<>();
    private ImageStore store;
    private FakeRegistry registry;
    private String reference;

    @BeforeEach
    void publish() throws Exception {
        registry = new FakeRegistry();
        var oci = new OciBytes();
        reference = registry.publish("team/app", oci, oci.image("amd64", List.of(BASE, TOP)));
        open();
    }

    private void open() throws PodException {
        store =
                ImageStore.open(
                        directory, Layers.OPTIONS, SignaturePolicy.ACCEPT_ANYTHING, events::add);
    }

    @AfterEach
    void close() throws PodException {
        store.close();
        registry.close();
    }

    private Image load(byte[] archive, String name) throws Exception {
        return store.load(new ByteArrayInputStream(archive), Optional.of(name), Progress.NONE)
                .getFirst();
    }

    private Image pull(PullPolicy policy) throws Exception {
        return store.pull(reference, policy, Progress.NONE, Deadline.after(Duration.ofSeconds(20)));
    }

    private static void flip(Path file, long at) throws IOException {
        Files.setPosixFilePermissions(
                file, java.nio.file.attribute.PosixFilePermissions.fromString("rw-r--r--"));
        try (var channel =
                FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            var one = ByteBuffer.allocate(1);
            channel.read(one, at);
            channel.write(ByteBuffer.wrap(new byte[] {(byte) (one.get(0) ^ 1)}), at);
        }
    }

    private static PodException refusal(Throwing call) {
        try {
            call.run();
        } catch (PodException e) {
            return e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        throw new AssertionError("it is not refused");
    }

    private interface Throwing {
        void run() throws Exception;
    }

    @Test
    void anImageThatPodsHoldIsNeitherRemovedNorPruned() throws Exception {
        var image = load(BASE, "localhost/app:1");
        store.tag("localhost/app:1", "localhost/app:2");
        var pod = PodId.random();
        assertThat(store.hold(pod, "default/web", image.id())).isTrue();
        assertThat(store.remove("localhost/app:1").images()).isEmpty();
        var refused = refusal(() -> store.remove("localhost/app:2"));
        assertThat(refused.kind()).isEqualTo(PodException.Kind.CONFLICT);
        assertThat(refused).hasMessageContainingAll("localhost/app:2", "default/web");
        assertThat(refusal(() -> store.remove(image.id().toString())).kind())
                .isEqualTo(PodException.Kind.CONFLICT);
        assertThat(store.prune(Unwanted.ALL).images()).isEmpty();
        assertThat(store.details("localhost/app:2").pods()).containsExactly("default/web");
        store.release(pod);
        assertThat(store.remove("localhost/app:2").images()).containsExactly(image.id());
        assertThat(store.hold(pod, "default/web", image.id())).isFalse();
    }

    @Test
    void pruneTakesTheNamelessAndOnRequestAllUnused() throws Exception {
        load(BASE, "localhost/app:1");
        pull(PullPolicy.ALWAYS);
        assertThat(store.prune(Unwanted.NAMELESS).images()).isEmpty();
        var other = new OciBytes();
        registry.publish("team/app", other, other.image("amd64", List.of(TOP)));
        pull(PullPolicy.ALWAYS);
        assertThat(store.list()).hasSize(3);
        assertThat(store.prune(Unwanted.NAMELESS).names())
                .as("the digest that came with the tag")
                .singleElement()
                .asString()
                .contains("team/app@sha256:");
        var all = store.prune(Unwanted.ALL);
        assertThat(all.images()).hasSize(2);
        assertThat(store.list()).isEmpty();
        assertThat(stored()).isZero();
    }

    @Test
    void anImageAskedForByDigestIsNotNameless() throws Exception {
        var digest =
                pull(PullPolicy.ALWAYS).names().stream()
                        .filter(name -> name.contains("@"))
                        .findFirst()
                        .orElseThrow();
        store.remove(reference);
        assertThat(store.list()).isEmpty();
        reference = digest;
        pull(PullPolicy.ALWAYS);
        store.close();
        open();
        assertThat(store.prune(Unwanted.NAMELESS).images()).isEmpty();
        assertThat(store.list()).hasSize(1);
    }

    private long stored() throws IOException {
        try (var files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> !file.endsWith("lock"))
                    .count();
        }
    }

    @Test
    void namesAreGivenAndForgottenOneAtATime() throws Exception {
        var image = load(BASE, "localhost/app:1");
        var tagged = store.tag(image.id().hex().substring(0, 12), "other");
        assertThat(tagged.names())
                .containsExactly("docker.io/library/other:latest", "localhost/app:1");
        assertThat(store.remove("other").names()).containsExactly("docker.io/library/other:latest");
        assertThat(store.list()).hasSize(1);
        assertThat(refusal(() -> store.tag("nothing", "x")).kind())
                .isEqualTo(PodException.Kind.NOT_FOUND);
        assertThat(refusal(() -> store.tag("localhost/app:1", "x@" + image.id())).kind())
                .isEqualTo(PodException.Kind.INVALID);
    }

    @Test
    void detailsTellLayersWithTheirDigestsAndTheHistory() throws Exception {
        var oci = new OciBytes();
        var config =
                OciBytes.config("amd64", List.of(BASE, TOP))
                        .replaceFirst(
                                "\\{",
                                """
                                {"history":[
                                {"created":"2024-01-01T00:00:00Z","created_by":"base"},
                                {"created_by":"ENV A=b","empty_layer":true},
                                {"created_by":"COPY app","comment":"c","author":"a"}],\
                                """);
        reference = registry.publish("team/told", oci, oci.imageWith(config, List.of(BASE, TOP)));
        var image = pull(PullPolicy.ALWAYS);
        var details = store.details(reference);
        assertThat(details.image()).isEqualTo(image);
        assertThat(details.layers()).hasSize(2);
        assertThat(rootOfTreeOf(image.layers().getFirst()))
                .isEqualTo(details.layers().getFirst().verityRoot());
        assertThat(details.history())
                .extracting(step -> step.createdBy())
                .containsExactly("base", "ENV A=b", "COPY app");
        assertThat(details.history().getFirst().created())
                .isEqualTo(Instant.parse("2024-01-01T00:00:00Z"));
        assertThat(details.history())
                .extracting(step -> step.layer().map(layer -> layer.disk().diffId()))
                .containsExactly(
                        Optional.of(Sha256.of(BASE)),
                        Optional.empty(),
                        Optional.of(Sha256.of(TOP)));
    }

    @Test
    void aDamagedDiskIsFoundByVerifySetAsideAndPulledAgain() throws Exception {
        var image = pull(PullPolicy.ALWAYS);
        var file = image.layers().getLast().file();
        var whole = Files.readAllBytes(file);
        flip(file, 4096);
        assertThat(pull(PullPolicy.IF_NOT_PRESENT)).as("a look does not find it").isEqualTo(image);
        var checks = store.verify(Optional.empty(), Progress.NONE);
        assertThat(checks)
                .extracting(LayerCheck::state)
                .containsExactlyInAnyOrder(LayerCheck.State.WHOLE, LayerCheck.State.DAMAGED);
        assertThat(events).singleElement().extracting(ImageEvent::name).isEqualTo("LayerDamaged");
        assertThat(file).doesNotExist();
        assertThat(directory.resolve("damaged")).isNotEmptyDirectory();
        var refused = refusal(() -> pull(PullPolicy.NEVER));
        assertThat(refused.kind()).isEqualTo(PodException.Kind.CORRUPT);
        assertThat(refused).hasMessageContaining(reference);
        assertThat(pull(PullPolicy.IF_NOT_PRESENT)).isEqualTo(image);
        assertThat(file).hasBinaryContent(whole);
        assertThat(store.verify(Optional.of(reference), Progress.NONE))
                .allMatch(check -> check.state() == LayerCheck.State.WHOLE);
        assertThat(store.prune(Unwanted.NAMELESS).bytes()).isEqualTo(whole.length);
        assertThat(directory.resolve("damaged")).isEmptyDirectory();
    }

    @Test
    void aDamagedHashTreeIsFoundAndMadeAnewWithItsDisk() throws Exception {
        var image = pull(PullPolicy.ALWAYS);
        flip(treeOf(image.layers().getLast()), 4096);
        assertThat(store.verify(Optional.empty(), Progress.NONE))
                .extracting(LayerCheck::state)
                .contains(LayerCheck.State.DAMAGED);
        assertThat(pull(PullPolicy.IF_NOT_PRESENT)).isEqualTo(image);
        assertThat(store.verify(Optional.empty(), Progress.NONE))
                .allMatch(check -> check.state() == LayerCheck.State.WHOLE);
    }

    private static Path treeOf(LayerDisk disk) {
        return Path.of(disk.file().toString().replace(".erofs", ".verity"));
    }

    /** The salted hash of the highest block, which stands behind the one that describes. */
    private static Digest rootOfTreeOf(LayerDisk disk) throws Exception {
        var tree = Files.readAllBytes(treeOf(disk));
        var salted = new ByteArrayOutputStream();
        salted.write(HexFormat.of().parseHex(disk.diffId().hex()));
        salted.write(tree, 4096, 4096);
        return Sha256.of(salted.toByteArray());
    }

    @Test
    void aTruncatedOrOverwrittenDiskIsFoundBeforeAPodGetsIt() throws Exception {
        var image = pull(PullPolicy.ALWAYS);
        flip(image.layers().getFirst().file(), 1024 + 36);
        assertThat(pull(PullPolicy.IF_NOT_PRESENT)).isEqualTo(image);
        var file = image.layers().getLast().file();
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(4096);
        }
        assertThat(pull(PullPolicy.IF_NOT_PRESENT)).isEqualTo(image);
        assertThat(events).hasSize(2);
        assertThat(store.verify(Optional.empty(), Progress.NONE))
                .allMatch(check -> check.state() == LayerCheck.State.WHOLE);
    }

    @Test
    void aDamagedImageThatCannotBeFetchedSaysBoth() throws Exception {
        var image = load(BASE, "localhost:1/app:1");
        flip(image.layers().getFirst().file(), 1100);
        reference = "localhost:1/app:1";
        assertThat(refusal(() -> pull(PullPolicy.IF_NOT_PRESENT)))
                .hasMessageContainingAll("lacks a layer", "cannot be fetched");
        assertThat(store.list()).isEmpty();
        assertThat(load(BASE, "localhost:1/app:1")).isEqualTo(image);
    }

    @Test
    void anImageThatLostALayerWhileNoDaemonRanKeepsItsNames() throws Exception {
        var image = pull(PullPolicy.ALWAYS);
        store.close();
        Files.delete(image.layers().getFirst().file());
        open();
        assertThat(events).extracting(ImageEvent::name).containsExactly("ImageIncomplete");
        assertThat(store.verify(Optional.empty(), Progress.NONE))
                .extracting(LayerCheck::state)
                .contains(LayerCheck.State.DAMAGED, LayerCheck.State.WHOLE);
        assertThat(pull(PullPolicy.IF_NOT_PRESENT)).isEqualTo(image);
        assertThat(store.remove(reference).images()).hasSize(1);
        assertThat(stored()).isZero();
    }

    @Test
    void aDamagedConfigurationIsForgottenWithAnEvent() throws Exception {
        var image = load(BASE, "localhost/app:1");
        store.close();
        Files.writeString(directory.resolve("configs/sha256/" + image.id().hex()), "{}");
        open();
        assertThat(events).extracting(ImageEvent::name).containsExactly("ImageForgotten");
        assertThat(store.find("localhost/app:1")).isEmpty();
        assertThat(stored()).isZero();
    }

    @Test
    void theSameRootFileSystemIsTheSameImageInEveryProcess() throws Exception {
        assertThat(load(BASE, "localhost/app:1").id().hex())
                .isEqualTo(
                        Sha256.of(
                                        OciBytes.utf(
                                                """
                                                {"architecture":"amd64","config":{"Cmd":["/bin/sh"],"Env":\
                                                ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},\
                                                "os":"linux","rootfs":{"diff_ids":["%s"],"type":"layers"}}\
                                                """
                                                        .formatted(Sha256.of(BASE))))
                                .hex());
    }

    @Test
    void whatIsNotThereIsNotFound() {
        for (Throwing call :
                List.<Throwing>of(
                        () -> store.details("x"),
                        () -> store.remove("x"),
                        () -> store.verify(Optional.of("x"), Progress.NONE),
                        () -> store.remove("abcdef"))) {
            assertThat(refusal(call).kind()).isEqualTo(PodException.Kind.NOT_FOUND);
        }
        assertThatThrownBy(() -> store.details("no name")).hasMessageContaining("reference");
    }
}
