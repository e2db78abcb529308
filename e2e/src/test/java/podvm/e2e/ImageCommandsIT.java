package podvm.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;

/** What the commands do with images that are on the node. */
class ImageCommandsIT {
    private static final String CONFIG = "\"Cmd\":[\"echo\",\"it runs\"],\"Env\":[\"PATH=/bin\"]";
    private static final String IMAGE = "localhost/own:1";

    @RegisterExtension static final Node node = Node.ordinary().withoutImage();

    @BeforeEach
    void anImageOfItsOwnForEachTest() throws Exception {
        for (var pod : node.podvm("ps", "-o", "json").expect(0).json()) {
            node.podvm("rm", "-f", pod.path("id").asString()).expect(0);
        }
        node.podvm("image", "prune", "-a").expect(0);
        load(IMAGE, CONFIG);
    }

    private static void load(String name, String config) throws Exception {
        var layout = ImageArchives.ociLayout(file("in.tar"), name, config, "amd64");
        node.podvm("image", "import", layout.toString()).expect(0);
    }

    private static Path file(String name) {
        return node.base().resolve("manifests").resolve(name);
    }

    private static String pod(String name, String image, String command) {
        return """
        apiVersion: v1
        kind: Pod
        metadata: {name: %s}
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: 0
          containers:
            - {name: main, image: "%s", imagePullPolicy: Never, command: [%s]}
        """
                .formatted(name, image, command);
    }

    private static JsonNode inspect(String image) throws Exception {
        return node.podvm("image", "inspect", image).expect(0).json();
    }

    private static List<Path> disks() throws IOException {
        try (var files = Files.list(node.state().resolve("images/layers/sha256"))) {
            return files.filter(file -> file.toString().endsWith(".erofs")).toList();
        }
    }

    @Test
    void lsInspectAndHistoryTellWhatThereIs() throws Exception {
        assertThat(node.podvm("image", "ls").expect(0).lines().get(0))
                .matches("ID +NAME +SIZE +SHARED +LAYERS +PLATFORM +CREATED");
        assertThat(node.podvm("image", "ls").expect(0).out())
                .isEqualTo(node.podvm("images").expect(0).out())
                .contains(IMAGE);
        var image = inspect(IMAGE);
        assertThat(image.path("platform").asString()).isEqualTo("linux/amd64");
        assertThat(image.path("created").asString()).isEqualTo("2026-01-02T03:04:05Z");
        assertThat(image.path("config").path("cmd").get(0).asString()).isEqualTo("echo");
        var layer = image.path("layers").get(0);
        assertThat(Path.of(layer.path("file").asString())).isEqualTo(disks().getFirst());
        assertThat(layer.path("diffId").asString())
                .isEqualTo("sha256:" + ImageArchives.digest(Box.layer()));
        assertThat(layer.path("verityRoot").asString()).matches("[0-9a-f]{64}");
        node.podvm("image", "history", IMAGE).expect(0);
        assertThat(node.podvm("image", "inspect", "localhost/nothing").expect(125).err())
                .contains("localhost/nothing", "podvm image ls");
    }

    @Test
    void namesAreGivenAndForgottenUntilTheImageGoes() throws Exception {
        var id = inspect(IMAGE).path("id").asString();
        node.podvm("image", "tag", IMAGE, "localhost/other:2").expect(0);
        assertThat(node.podvm("image", "rm", id).expect(125).err())
                .contains(IMAGE, "localhost/other:2", "one at a time");
        assertThat(node.podvm("image", "rm", IMAGE).expect(0).out())
                .isEqualTo("forgotten: " + IMAGE + "\n");
        assertThat(disks()).hasSize(1);
        assertThat(node.podvm("image", "rm", "localhost/other:2").expect(0).out())
                .contains("removed: " + id);
        assertThat(disks()).isEmpty();
        assertThat(node.state().resolve("images/layers/sha256")).isEmptyDirectory();
    }

    @Test
    void anImageThatAPodUsesIsKeptAlsoByTheNextDaemon() throws Exception {
        node.running(pod("user", IMAGE, "sleep, \"1000\""));
        var refused = node.podvm("image", "rm", IMAGE).expect(125);
        assertThat(refused.err()).contains(IMAGE, "default/user");
        node.killDaemon();
        assertThat(node.podvm("image", "rm", IMAGE).expect(125).err()).contains("default/user");
        node.podvm("image", "prune", "-a").expect(0);
        assertThat(inspect(IMAGE).path("pods").get(0).asString()).isEqualTo("default/user");
        node.podvm("rm", "-f", "user").expect(0);
        node.podvm("image", "rm", IMAGE).expect(0);
        assertThat(disks()).isEmpty();
    }

    @Test
    void pruneTakesTheNamelessAndTellsWhatThatGaveBack() throws Exception {
        var before = inspect(IMAGE).path("id").asString();
        load(IMAGE, "\"Cmd\":[\"true\"]");
        assertThat(node.podvm("images").expect(0).lines()).hasSize(3);
        var pruned = node.podvm("image", "prune", "-o", "json").expect(0).json();
        assertThat(pruned.path("images").get(0).asString()).isEqualTo(before);
        assertThat(pruned.path("bytes").asLong()).as("the layer is shared").isZero();
        assertThat(node.podvm("image", "prune", "--all").expect(0).out())
                .contains("forgotten: " + IMAGE)
                .containsPattern("given back: [0-9.]+ MB");
        assertThat(disks()).isEmpty();
    }

    @Test
    void aDamagedDiskIsToldSetAsideAndBroughtBack() throws Exception {
        var disk = disks().getFirst();
        node.podvm("image", "verify").expect(0);
        try (var channel = Files.newByteChannel(disk, StandardOpenOption.WRITE)) {
            channel.position(Files.size(disk) / 2);
            channel.write(java.nio.ByteBuffer.wrap("damage".getBytes(UTF_8)));
        }
        var found = node.podvm("image", "verify").expect(1);
        assertThat(found.out()).contains("DAMAGED", IMAGE);
        assertThat(node.daemonLog()).contains("event=LayerDamaged");
        var refused = node.run(pod("damaged", IMAGE, "\"true\"")).expect(125);
        assertThat(refused.err()).contains(IMAGE, "damaged");
        load(IMAGE, CONFIG);
        node.podvm("image", "verify", IMAGE).expect(0);
        assertThat(node.run(pod("whole", IMAGE, "echo, again")).expect(0).out())
                .isEqualTo("again\n");
    }

    @Test
    void anExportedImageIsImportedAndRuns() throws Exception {
        for (var option : List.of("--gzip", "--output=table")) {
            var archive = file("out.tar");
            var exported =
                    node.podvm("image", "export", option, IMAGE, archive.toString()).expect(0);
            assertThat(exported.err()).contains("its layers were packed anew");
            assertThat(
                            node.podvm(
                                            "image",
                                            "import",
                                            "--name",
                                            "localhost/again:1",
                                            archive.toString())
                                    .expect(0)
                                    .out())
                    .startsWith(exported.out().strip());
            assertThat(
                            node.run(
                                            pod(
                                                    "again" + option.length(),
                                                    "localhost/again:1",
                                                    "ls, /bin/sh"))
                                    .expect(0)
                                    .out())
                    .isEqualTo("/bin/sh\n");
        }
    }

    @Test
    void skopeoReadsAnExport() throws Exception {
        assumeTrue(Host.has("skopeo"), "no skopeo on the PATH: setup/run test brings it");
        var archive = file("skopeo.tar");
        node.podvm("image", "export", IMAGE, archive.toString()).expect(0);
        var out = Host.command("skopeo", "inspect", "--config", "oci-archive:" + archive + ":1");
        assertThat(out).contains("it runs");
    }

    @Test
    void aPullTellsMachinesOneEventPerLine() throws Exception {
        assumeTrue(
                Host.has("docker-registry"),
                "no docker-registry on the PATH: setup/run test brings it");
        try (var registry = Registry.start(file("registry"))) {
            var layer = Box.layer();
            registry.push(
                    "team/box",
                    "latest",
                    ImageArchives.configuration(CONFIG, "amd64", layer),
                    ImageArchives.gzip(layer));
            var name = registry.host() + "/team/box";
            var events = node.podvm("pull", "-o", "json", name).expect(0).lines();
            assertThat(events.getFirst()).contains("\"name\": \"" + name + ":latest\"");
            assertThat(events).allMatch(line -> line.startsWith("{\"event\": \""));
            assertThat(events.getLast()).startsWith("{\"event\": \"image\"");
            assertThat(node.podvm("pull", name).expect(0).err())
                    .contains(name + " is " + name + ":latest")
                    .containsPattern("pulled .* in [0-9.]+ s, ");
        }
    }

    @Test
    void noTwoDaemonsShareAStore() throws Exception {
        var second =
                node.startProgram(
                        List.of(
                                Distribution.here().podvmd().toString(),
                                "--private",
                                "--set",
                                "directory.run=" + node.base().resolve("run2")));
        try (second) {
            var ended = second.await();
            assertThat(ended.exit()).isNotZero();
            assertThat(ended.out() + ended.err()).contains("another podvmd");
        }
    }
}
