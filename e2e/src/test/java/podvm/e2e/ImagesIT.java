package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;

class ImagesIT {
    private static final String CONFIG =
            "\"Cmd\":[\"echo\",\"from the registry\"],\"Env\":[\"PATH=/bin\"]";

    private static final String SLEEPER =
            "\"Cmd\":[\"/bin/busybox\",\"sleep\",\"1000\"],\"Env\":[\"PATH=/bin\"]";

    @RegisterExtension static final Node node = Node.ordinary().withoutImage();

    private static Registry registry;
    private static String digest = "";

    @BeforeAll
    static void aRegistryHoldsAnImage() throws Exception {
        assumeTrue(
                Host.has("docker-registry"),
                "no docker-registry on the PATH: setup/run test brings it");
        registry = Registry.start(node.base().resolve("manifests/registry"));
        var layer = Box.layer();
        digest =
                registry.push(
                        "team/box",
                        "1",
                        ImageArchives.configuration(CONFIG, "amd64", layer),
                        ImageArchives.gzip(layer));
        registry.push(
                "team/arm",
                "1",
                ImageArchives.configuration(CONFIG, "s390x", layer),
                ImageArchives.gzip(layer));
    }

    @AfterAll
    static void theRegistryEnds() throws Exception {
        if (registry != null) {
            registry.close();
        }
    }

    private static String pod(String name, String image) {
        return """
        apiVersion: v1
        kind: Pod
        metadata: {name: %s}
        spec:
          restartPolicy: Never
          containers:
            - {name: main, image: "%s"}
        """
                .formatted(name, image);
    }

    private static JsonNode image(String name) throws Exception {
        var images = node.podvm("images", "-o", "json").expect(0).json();
        return StreamSupport.stream(images.spliterator(), false)
                .filter(image -> image.path("names").toString().contains(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no image " + name + " in " + images));
    }

    @Test
    void anImageIsPulledFromARegistryByTagAndByDigest() throws Exception {
        node.podvm("pull", registry.host() + "/team/box:1").expect(0);
        node.podvm("pull", registry.host() + "/team/box@" + digest).expect(0);

        var image = image("team/box:1");
        assertThat(image.path("platform").asString()).isEqualTo("linux/amd64");
        assertThat(image.path("layers").asInt()).isEqualTo(1);
        assertThat(image.path("diskBytes").asLong()).isPositive();
    }

    @Test
    void runPullsWhatIsNotThere() throws Exception {
        assertThat(node.run(pod("pulled", registry.host() + "/team/box:1")).expect(0).out())
                .contains("from the registry\n");
    }

    /** Of three layers, the last of which takes a file away. */
    @Test
    void anImageThatBuildahMadeRuns() throws Exception {
        boolean may = Host.has("buildah") && Host.isRoot();
        assumeTrue(may, "buildah wants to be root and on the PATH: setup/run test brings it");
        var root = node.base().resolve("manifests/buildah");
        var files = Files.createDirectories(root.resolve("files/bin"));
        Files.copy(Box.busybox(), files.resolve("busybox"));
        Files.writeString(root.resolve("files/old"), "old\n");
        var buildah = new Buildah(root);
        try {
            buildah.run("from", "--name", "base", "scratch");
            buildah.run("copy", "base", root.resolve("files").toString(), "/");
            buildah.commit("base", "localhost/base:1");
            buildah.run("from", "--name", "next", "--pull-never", "localhost/base:1");
            buildah.run("run", "--isolation", "chroot", "next", "--", "/bin/busybox", "rm", "/old");
            buildah.run(
                    "config",
                    "--cmd",
                    "[\"/bin/busybox\", \"sh\", \"-c\", \"/bin/busybox ls / | /bin/busybox grep -c old\"]",
                    "next");
            buildah.commit("next", "localhost/next:1");
            buildah.run(
                    "push",
                    "--tls-verify=false",
                    "--signature-policy",
                    buildah.policy(),
                    "localhost/next:1",
                    "docker://" + registry.host() + "/team/buildah:1");
        } finally {
            buildah.removeAll();
        }

        var ran = node.run(pod("buildah", registry.host() + "/team/buildah:1"));
        assertThat(ran.out()).isEqualTo("0\n");
    }

    /** Layer disks are shared: a further pod has its scratch disk's few blocks and its records. */
    @Test
    void theSecondPodOfAnImageWritesNextToNothing() throws Exception {
        var content = new byte[48 << 20];
        new Random(1).nextBytes(content);
        var layer =
                new Tar()
                        .folder("bin", 0755)
                        .file("bin/busybox", 0755, Files.readAllBytes(Box.busybox()))
                        .file("content", 0644, content)
                        .end();
        var config = ImageArchives.configuration(SLEEPER, "amd64", layer);
        registry.push("team/large", "1", config, ImageArchives.gzip(layer));
        var reference = registry.host() + "/team/large:1";

        long empty = written();
        node.podvm("pull", reference).expect(0);
        long pulled = written();
        node.running(pod("first", reference));
        long first = written();
        node.running(pod("second", reference));
        long second = written();

        System.out.printf(
                "pull %,d bytes, first pod %,d, second pod %,d%n",
                pulled - empty, first - pulled, second - first);
        assertThat(pulled - empty).isGreaterThan(content.length);
        assertThat(second - first).isLessThanOrEqualTo((pulled - empty) / 20);
        node.removeAll();
    }

    /** All blocks that the daemon's state takes on the host's disk. */
    private static long written() throws Exception {
        var told = Host.command("du", "-s", "--block-size=1", node.state().toString());
        return Long.parseLong(told.split("\\s")[0]);
    }

    @Test
    void anOciLayoutIsImportedAndRuns() throws Exception {
        var layout =
                ImageArchives.ociLayout(
                        node.base().resolve("manifests/oci.tar"),
                        "localhost/layout:1",
                        "\"Cmd\":[\"echo\",\"from a layout\"],\"Env\":[\"PATH=/bin\"]",
                        "amd64");
        node.podvm("image", "import", layout.toString()).expect(0);

        assertThat(node.run(pod("layout", "localhost/layout:1")).expect(0).out())
                .isEqualTo("from a layout\n");
    }

    @Test
    void aDockerArchiveIsImportedFromStandardInputUnderAnotherName() throws Exception {
        var archive =
                ImageArchives.dockerArchive(
                        node.base().resolve("manifests/docker.tar"),
                        "localhost/docker:1",
                        "\"Cmd\":[\"true\"]");
        try (var load =
                node.startProgram(
                        List.of(
                                "sh",
                                "-c",
                                "'%s' image import --name localhost/renamed:2 - <'%s'"
                                        .formatted(Distribution.here().podvm(), archive)))) {
            load.await().expect(0);
        }
        assertThat(image("localhost/renamed:2").path("layers").asInt()).isEqualTo(1);
    }

    @Test
    void layersThatImagesShareAreStoredOnce() throws Exception {
        node.podvm("image", "import", "--name", "localhost/plain:1", Box.rootfs().toString())
                .expect(0);
        var layout =
                ImageArchives.ociLayout(
                        node.base().resolve("manifests/twin.tar"), "localhost/twin:1", "", "amd64");
        long before = stored();
        node.podvm("image", "import", layout.toString()).expect(0);
        assertThat(stored() - before).isLessThan(Files.size(Box.rootfs()) / 10);
    }

    private static long stored() throws Exception {
        try (var all = Files.walk(node.state().resolve("images"))) {
            long sum = 0;
            for (var file : all.filter(Files::isRegularFile).toList()) {
                sum += Files.size(file);
            }
            return sum;
        }
    }

    @Test
    void bytesThatDoNotMatchTheirDigestAreRefusedAndNothingIsKept() throws Exception {
        try (var proxy = new LyingProxy(registry.host(), ImagesIT::spoilBlobs)) {
            var refused = node.podvm("pull", proxy.host() + "/team/box:1").expect(125);
            assertThat(refused.err())
                    .contains("sha256:")
                    .containsIgnoringCase("digest")
                    .contains("team/box");
        }
        assertThat(node.podvm("images", "-o", "json").expect(0).out()).doesNotContain("spoilt");
    }

    private static byte[] spoilBlobs(String path, byte[] truth) {
        var body = Arrays.copyOf(truth, truth.length);
        if (path.contains("/blobs/") && body.length > 0) {
            body[body.length / 2] ^= 1;
        }
        return body;
    }

    @Test
    void aManifestOtherThanTheOneAskedForByDigestIsRefused() throws Exception {
        try (var proxy =
                new LyingProxy(
                        registry.host(),
                        (path, truth) -> path.contains("/manifests/") ? spaced(truth) : truth)) {
            var refused = node.podvm("pull", proxy.host() + "/team/box@" + digest).expect(125);
            assertThat(refused.err()).contains(digest);
        }
    }

    private static byte[] spaced(byte[] json) {
        var longer = Arrays.copyOf(json, json.length + 1);
        longer[json.length] = ' ';
        return longer;
    }

    @Test
    void anImageOfAnotherPlatformIsRefusedByName() throws Exception {
        var refused = node.podvm("pull", registry.host() + "/team/arm:1").expect(125);
        assertThat(refused.err()).contains("team/arm:1").contains("s390x").contains("amd64");
    }

    @Test
    void anImageThatTheRegistryDoesNotHaveIsToldWithTheRegistrysAnswer() throws Exception {
        var refused = node.podvm("pull", registry.host() + "/team/nothing:9").expect(125);
        assertThat(refused.err()).contains("team/nothing:9").contains("does not have");
    }

    @Test
    void aRegistryThatCannotBeReachedIsTold() throws Exception {
        var nobody = "127.0.0.1:" + Registry.freePort();
        var refused = node.podvm("pull", nobody + "/team/box:1").expect(125);
        assertThat(refused.err()).contains(nobody).containsIgnoringCase("connect");
    }

    @Test
    void aPodWhoseImageIsMissingEndsAndSaysWhich() throws Exception {
        var ended = node.run(pod("imageless", registry.host() + "/team/nothing:9")).expect(125);
        assertThat(ended.err()).contains("team/nothing:9");
        assertThat(node.inspect("imageless").path("phase").asString()).isEqualTo("Failed");
    }

    @Test
    void aFileThatIsNoImageIsRefused() throws Exception {
        var file =
                Files.writeString(
                        node.base().resolve("manifests/text.tar"),
                        "this is no archive\n".repeat(100));
        var refused =
                node.podvm("image", "import", "--name", "localhost/text:1", file.toString())
                        .expect(125);
        assertThat(refused.err()).startsWith("podvm: ").containsIgnoringCase("tar");
    }
}
