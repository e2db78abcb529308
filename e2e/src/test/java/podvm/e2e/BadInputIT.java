package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Each refusal says what failed, on which thing, and what to do next. */
class BadInputIT {
    private static final int STRANGER = 54_322;

    @RegisterExtension static final Node node = Node.ordinary();

    private static String pod(String name, String command) {
        return """
        apiVersion: v1
        kind: Pod
        metadata: {name: %s}
        spec:
          restartPolicy: Never
          containers:
            - {name: main, image: "localhost/box:1", command: [%s]}
        """
                .formatted(name, command);
    }

    @Test
    void brokenYamlIsToldWithItsLine() throws Exception {
        var file = node.manifest("apiVersion: v1\nkind: Pod\nmetadata: {name: x\nspec: [\n");
        var refused = node.podvm("run", file.toString()).expect(125);
        assertThat(refused.err()).contains(file.toString()).containsPattern("[345]\\b.*YAML");
    }

    @Test
    void twoContainersOfOneNameAreToldWithBothLines() throws Exception {
        var refused =
                node.run(
                                """
                                apiVersion: v1
                                kind: Pod
                                metadata: {name: twins}
                                spec:
                                  containers:
                                    - name: twin
                                      image: localhost/box:1
                                    - name: twin
                                      image: localhost/box:1
                                """)
                        .expect(125);
        assertThat(refused.err()).contains("two containers named twin").contains("lines 6 and 8");
    }

    @Test
    void aMissingFileIsNamed() throws Exception {
        assertThat(node.podvm("run", "/no/such/file.yaml").expect(125).err())
                .contains("/no/such/file.yaml");
    }

    @Test
    void aWrongCommandLineIs2() throws Exception {
        assertThat(node.podvm("rnu").expect(2).err()).contains("rnu").contains("--help");
        assertThat(node.podvm("ps", "--no-such-option").expect(2).err())
                .contains("--no-such-option");
        assertThat(node.podvm("run").expect(2).err()).startsWith("podvm: ");
    }

    @Test
    void aMissingImageIsNamedAndTheWayToGetItToo() throws Exception {
        var manifest =
                pod("imageless", "\"true\"").replace("localhost/box:1", "localhost/missing:1");
        var ended = node.run(manifest).expect(125);
        assertThat(ended.err()).contains("localhost/missing:1");
    }

    @Test
    void aCommandThatIsNotThereIs127() throws Exception {
        var ended = node.run(pod("no-command", "no-such-program")).expect(127);
        assertThat(ended.err()).contains("no-such-program");
        var main = node.container("no-command", "main");
        assertThat(main.path("reason").asString()).isEqualTo("StartError");
        assertThat(main.path("message").asString()).contains("no-such-program");
    }

    @Test
    void aFileThatIsNotExecutableIs126() throws Exception {
        var ended = node.run(pod("no-program", "/not-executable")).expect(126);
        assertThat(ended.err()).contains("/not-executable");
    }

    @Test
    void aPodThatIsNotThereIsToldByEveryCommand() throws Exception {
        for (var command :
                List.of(
                        new String[] {"logs", "nobody"},
                        new String[] {"inspect", "nobody"},
                        new String[] {"stop", "nobody"},
                        new String[] {"rm", "nobody"},
                        new String[] {"wait", "nobody"},
                        new String[] {"console", "nobody"},
                        new String[] {"attach", "nobody"})) {
            assertThat(node.podvm(command).expect(125).err())
                    .as(command[0])
                    .contains("nobody")
                    .contains("podvm ps");
        }
    }

    @Test
    void aSecondDaemonOnTheSameStateIsRefused() throws Exception {
        node.podvm("version").expect(0);
        var run = Files.createDirectory(node.base().resolve("tmp/run2"));
        var words =
                List.of(
                        Distribution.here().podvmd().toString(),
                        "--set",
                        "directory.run=" + run,
                        "--set",
                        "machine.accelerator=tcg");
        try (var second = node.startProgram(words)) {
            assertThat(second.await().expect(125).err())
                    .contains("pid " + node.daemonPid())
                    .contains(node.state().toString())
                    .contains("PODVM_STATE");
        }
        Host.deleteTree(run);
    }

    @Test
    void twoCommandsAtOnceStartOneDaemon() throws Exception {
        try (var fresh = Node.ordinary().withoutImage().opened();
                var first = fresh.start("version", "-o", "json");
                var second = fresh.start("ps");
                var third = fresh.start("images")) {
            first.await().expect(0);
            second.await().expect(0);
            third.await().expect(0);
            assertThat(Host.processesOf(fresh.base()))
                    .filteredOn(line -> line.contains("podvm.daemon.Main"))
                    .hasSize(1);
        }
    }

    @Test
    void aStateDirectoryOfSomebodyElseIsRefused() throws Exception {
        assumeTrue(Host.isRoot(), "only root can give a folder away");
        try (var other = Node.ordinary().withoutImage().opened()) {
            Files.createDirectory(other.state());
            Files.setAttribute(other.state(), "unix:uid", STRANGER);

            var refused = other.podvm("ps").expect(125);
            assertThat(refused.err())
                    .contains(other.state().toString())
                    .contains("belongs to user " + STRANGER);
            Host.deleteTree(other.state());
        }
    }

    @Test
    void anUnknownKeyOfTheConfigurationEndsTheDaemonAndAllProblemsAreTold() throws Exception {
        var words =
                List.of(
                        Distribution.here().podvmd().toString(),
                        "--set",
                        "machine.colour=blue",
                        "--set",
                        "machine.scratch-mib=many");
        try (var daemon = node.startProgram(words)) {
            assertThat(daemon.await().expect(2).err())
                    .contains("machine.colour")
                    .contains("machine.scratch-mib");
        }
    }

    @Test
    void aFullDiskIsToldAndPodsRunAgainWhenThereIsSpace() throws Exception {
        assumeTrue(Host.isRoot(), "only root can mount a small file system");
        var small = Node.ordinary().withoutImage().opened();
        Files.createDirectory(small.state());
        Host.command(
                "mount",
                "-t",
                "tmpfs",
                "-o",
                "size=24m,mode=0700",
                "podvm-e2e",
                small.state().toString());
        try {
            small.podvm("image", "import", "--name", Box.IMAGE, Box.rootfs().toString()).expect(0);
            var filler = small.state().resolve("filler");
            fill(filler);

            var refused = small.run(pod("cramped", "\"true\"")).expect(125);
            assertThat(refused.err())
                    .containsIgnoringCase("no space left")
                    .containsIgnoringCase("free space");
            var archive = other(small).toString();
            var image =
                    small.podvm("image", "import", "--name", "localhost/other:1", archive)
                            .expect(125);
            assertThat(image.err()).containsIgnoringCase("space");

            Files.delete(filler);
            small.run(pod("cramped", "\"true\"")).expect(0);
            small.removeAll();
            small.stopDaemon();
        } finally {
            small.killAll();
            Host.command("umount", small.state().toString());
            small.close();
        }
    }

    private static void fill(Path file) throws Exception {
        try (var out = Files.newOutputStream(file)) {
            while (true) {
                out.write(new byte[4096]);
            }
        } catch (IOException full) {
            // that is what it is for
        }
    }

    /** Layers that the store does not have yet. */
    private static Path other(Node small) throws Exception {
        var bytes = new byte[4 << 20];
        new Random(1).nextBytes(bytes);
        return Files.write(
                small.base().resolve("manifests/other.tar"),
                new Tar().file("bytes", 0644, bytes).end());
    }
}
