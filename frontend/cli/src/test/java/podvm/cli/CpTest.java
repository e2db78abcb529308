package podvm.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static podvm.engine.fake.FakeFiles.entry;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.ContainerFiles.Data;
import podvm.engine.ContainerFiles.Entry;
import podvm.engine.ContainerFiles.Entry.Kind;
import podvm.engine.ContainerFiles.Target;
import podvm.node.FakePods;
import podvm.node.NodeServer;

@Timeout(60)
class CpTest {
    private final FakePods pods = new FakePods();
    @TempDir private Path directory;
    private CommandLine shell;
    private NodeServer server;

    @BeforeEach
    void start() throws Exception {
        var run = directory.resolve("run");
        server = FakeNode.start(run, pods);
        shell = new CommandLine(run);
        shell.withInput(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: p}
                spec: {containers: [{name: c, image: i, command: [sleep]}]}
                """,
                "run",
                "-",
                "-d");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private void tree() {
        var files = pods.files();
        files.put(entry("", Kind.DIRECTORY, ""));
        files.put(entry("a", Kind.FILE, ""));
        files.put(new Data("one".getBytes()));
        files.put(new Data(" two".getBytes()));
        files.put(entry("b", Kind.HARD_LINK, "a"));
        files.put(entry("c", Kind.SYMLINK, "../../elsewhere"));
        files.put(entry("d", Kind.OTHER, ""));
        files.put(entry("e", Kind.FILE, ""));
    }

    private Path here(String name) {
        return directory.resolve(name);
    }

    @Test
    void aDirectoryComesOutAsItIs() throws Exception {
        tree();
        var result = shell.podvm("cp", "p:/data", here("new").toString());
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(here("new/a")).hasContent("one two");
        assertThat(Files.getAttribute(here("new/b"), "unix:nlink")).isEqualTo(2);
        assertThat(Files.readSymbolicLink(here("new/c"))).hasToString("../../elsewhere");
        assertThat(here("new/e")).isEmptyFile();
        assertThat(here("new/d")).doesNotExist();
        assertThat(result.err()).contains("left out, since it is no file: d");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(here("new/a"))))
                .isEqualTo("rw-r-----");
        assertThat(shell.podvm("cp", "default/p:/data", here("new").toString()).code()).isZero();
        assertThat(here("new/data/a")).hasContent("one two");
        assertThat(shell.podvm("cp", "p:/data/.", here("new").toString()).code()).isZero();
        assertThat(here("new/data/data")).doesNotExist();
    }

    @Test
    void anArchiveComesOutAndGoesInAgain() {
        var files = pods.files();
        files.put(entry("", Kind.DIRECTORY, ""));
        files.put(new Entry("a", Kind.FILE, 0640, 0, 0, Instant.EPOCH, 7, ""));
        files.put(new Data("one two".getBytes(UTF_8)));
        files.put(entry("b", Kind.HARD_LINK, "a"));
        files.put(entry("c", Kind.SYMLINK, "../../elsewhere"));

        var out = shell.podvm("cp", "p:/data", "-");
        assertThat(out.code()).as(out.err()).isZero();
        var in = shell.withInput(out.out(), "cp", "-", "p:/into");

        assertThat(in.code()).as(in.err()).isZero();
        assertThat(files.target()).contains(new Target("/into/", "", false, true));
        assertThat(
                        files.pieces().stream()
                                .map(piece ->
                                        switch (piece) {
                                            case Entry one ->
                                                    one.kind()
                                                            + " "
                                                            + one.path()
                                                            + " "
                                                            + one.target();
                                            case Data data -> new String(data.bytes(), UTF_8);
                                        }))
                .containsExactly(
                        "DIRECTORY data ",
                        "FILE data/a ",
                        "one two",
                        "HARD_LINK data/b data/a",
                        "SYMLINK data/c ../../elsewhere");
    }

    @Test
    void wrongSidesAreToldInOneLineAndNothingIsSent() {
        assertThat(shell.podvm("cp", here("a").toString(), here("b").toString()).err())
                .contains("neither side of the copy is a pod");
        assertThat(shell.podvm("cp", "p:/a", "p:/b").err()).contains("both sides");
        var missing = shell.podvm("cp", here("none") + "/", "p:/x");
        assertThat(missing.code()).isEqualTo(125);
        assertThat(missing.err()).contains("there is no file").doesNotContain("Exception");
        var text = shell.withInput("no archive", "cp", "-", "p:/x");
        assertThat(text.code()).isEqualTo(125);
        assertThat(text.err()).contains("no tar archive");
        assertThat(shell.podvm("cp", "nobody:/a", here("b").toString()).err()).contains("nobody");
    }

    @Test
    void whatAGuestMakesUpDoesNotLeaveTheDestination() throws Exception {
        var files = pods.files();
        files.put(entry("", Kind.DIRECTORY, ""));
        files.put(entry("l", Kind.SYMLINK, here("outside").toString()));
        files.put(entry("l/x", Kind.FILE, ""));
        files.put(new Data("x".getBytes()));
        Files.createDirectory(here("outside"));
        var result = shell.podvm("cp", "p:/data", here("new").toString());
        assertThat(result.code()).isEqualTo(125);
        assertThat(result.err()).contains("below what is no directory: l/x");
        assertThat(here("outside")).isEmptyDirectory();
    }

    @Test
    void aPathThatGoesUpIsRefused() {
        var files = pods.files();
        files.put(entry("", Kind.DIRECTORY, ""));
        files.put(entry("../x", Kind.FILE, ""));
        var result = shell.podvm("cp", "p:/data", here("new").toString());
        assertThat(result.code()).isEqualTo(125);
        assertThat(here("x")).doesNotExist();
    }

    @Test
    void aLinkThatIsThereIsReplacedAndNotFollowed() throws Exception {
        var files = pods.files();
        files.put(entry("", Kind.DIRECTORY, ""));
        files.put(entry("a", Kind.FILE, ""));
        files.put(new Data("x".getBytes()));
        Files.createDirectory(here("new"));
        Files.writeString(here("precious"), "kept");
        Files.createSymbolicLink(here("new/a"), here("precious"));
        assertThat(shell.podvm("cp", "p:/data/.", here("new").toString()).code()).isZero();
        assertThat(here("precious")).hasContent("kept");
        assertThat(Files.isSymbolicLink(here("new/a"))).isFalse();
    }

    @Test
    void aTreeGoesInWithItsLinks() throws Exception {
        var tree = Files.createDirectories(here("tree/sub")).getParent();
        Files.writeString(tree.resolve("a"), "text");
        Files.createLink(tree.resolve("b"), tree.resolve("a"));
        Files.createSymbolicLink(tree.resolve("c"), Path.of("/nowhere"));
        var result = shell.podvm("cp", tree.toString(), "p:/data");
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(pods.files().target()).contains(new Target("/data", "tree", true, false));
        assertThat(
                        pods.files().pieces().stream()
                                .filter(Entry.class::isInstance)
                                .map(piece -> (Entry) piece)
                                .map(one -> one.kind() + " " + one.path() + " " + one.target()))
                .containsExactly(
                        "DIRECTORY  ",
                        "FILE a ",
                        "HARD_LINK b a",
                        "SYMLINK c /nowhere",
                        "DIRECTORY sub ");
        assertThat(shell.podvm("cp", tree + "/.", "p:/data").code()).isZero();
        assertThat(pods.files().target()).contains(new Target("/data", "tree", true, true));
    }

    @Test
    void aLargeFileGoesInWhole() throws Exception {
        var bytes = new byte[3_000_001];
        new java.util.Random(1).nextBytes(bytes);
        Files.write(here("large"), bytes);
        assertThat(shell.podvm("cp", here("large").toString(), "p:/x").code()).isZero();
        var sum = new java.io.ByteArrayOutputStream();
        for (var piece : pods.files().pieces()) {
            if (piece instanceof Data data) {
                sum.writeBytes(data.bytes());
            }
        }
        assertThat(sum.toByteArray()).isEqualTo(bytes);
    }

    @Test
    void whatCannotBeCopiedIsTold() {
        var here = directory.toString();
        assertThat(shell.podvm("cp", here, here).code()).isEqualTo(2);
        assertThat(shell.podvm("cp", "p:/a", "p:/b").code()).isEqualTo(2);
        assertThat(shell.podvm("cp", "p:/none", here).err()).contains("cannot read /none");
        assertThat(shell.podvm("cp", here + "/nothing", "p:/x").err()).contains("there is no file");
        assertThat(Files.exists(here("none"), LinkOption.NOFOLLOW_LINKS)).isFalse();
    }
}
