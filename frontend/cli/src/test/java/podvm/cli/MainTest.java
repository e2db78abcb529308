package podvm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.cli.CommandLine.Result;
import podvm.node.FakePods;
import podvm.node.NodeServer;

@Timeout(60)
class MainTest {
    private final FakePods pods = new FakePods();
    @TempDir private Path directory;
    private CommandLine shell;
    private NodeServer server;

    @BeforeEach
    void start() throws Exception {
        var run = directory.resolve("run");
        server = FakeNode.start(run, pods);
        shell = new CommandLine(run);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private static String pod(String name, String... commands) {
        var text =
                new StringBuilder(
                        "apiVersion: v1\nkind: Pod\nmetadata: {name: "
                                + name
                                + "}\nspec:\n  restartPolicy: Never\n  containers:\n");
        for (var i = 0; i < commands.length; i++) {
            text.append(
                    "  - {name: c%s, image: i, stdin: true, command: [%s]}%n"
                            .formatted("x".repeat(i), commands[i]));
        }
        return text.toString();
    }

    private Result run(String manifest, String... options) {
        var arguments = new java.util.ArrayList<>(java.util.List.of("run", "-"));
        arguments.addAll(java.util.List.of(options));
        return shell.withInput(manifest, arguments.toArray(String[]::new));
    }

    @Test
    void aPodsOutputIsOursWithoutAPrefixWhenItIsAlone() {
        var result = run(pod("p", "echo, hello"));
        assertThat(result.out()).isEqualTo("hello\n");
        assertThat(result.code()).isZero();
    }

    @Test
    void severalContainersHaveAlignedPrefixes() {
        var result = run(pod("p", "echo, a", "warn, b"));
        assertThat(result.out()).isEqualTo("c  | a\n");
        assertThat(result.err()).contains("cx | b\n");
        assertThat(run(pod("q", "echo, a", "echo, b"), "--no-prefix").out().lines())
                .containsExactlyInAnyOrder("a", "b");
    }

    @Test
    void severalPodsArePrefixedByPodAndContainer() {
        var result = run(pod("p", "echo, a") + "---\n" + pod("long", "echo, b"));
        assertThat(result.out().lines()).containsExactlyInAnyOrder("p/c    | a", "long/c | b");
    }

    @Test
    void thePodsExitCodeIsOurs() {
        assertThat(run(pod("p", "exit, \"7\"")).code()).isEqualTo(7);
    }

    @Test
    void removedPodsAreGone() {
        assertThat(run(pod("p", "echo, a"), "--rm").code()).isZero();
        assertThat(pods.list()).isEmpty();
    }

    @Test
    void detachedPodsAreListedStoppedAndRemoved() {
        var id = run(pod("p", "sleep"), "-d").out().strip();
        assertThat(id).matches("[0-9a-f]{32}");
        var lines = shell.podvm("ps").out().lines().toList();
        assertThat(lines.get(0)).matches("ID +NAME +READY +STATUS +RESTARTS +AGE +IP +MANAGER");
        assertThat(lines.get(1))
                .matches(id.substring(0, 12) + " +p +1/1 +Running +0 +\\d+s +10.0.2.15 +podvm");
        assertThat(shell.podvm("rm", "p").code()).isEqualTo(125);
        assertThat(shell.podvm("stop", "-t", "1", "p").out()).isEqualTo("p\n");
        assertThat(shell.podvm("ps").out().lines()).hasSize(1);
        assertThat(shell.podvm("ps", "-a").out()).contains("Failed");
        assertThat(shell.podvm("wait", id)).isEqualTo(new Result(143, "143\n", ""));
        assertThat(shell.podvm("rm", "p").code()).isZero();
        assertThat(shell.podvm("ps", "--all").out().lines()).hasSize(1);
    }

    @Test
    void whatPodsUseIsShownForPodsAndContainers() {
        run(pod("p", "sleep", "sleep"), "-d");
        var lines = shell.podvm("stats").out().lines().toList();
        assertThat(lines.get(0))
                .matches(
                        "POD +CPU +MEMORY +LIMIT +MACHINE CPU +MACHINE MEMORY +NET IN / OUT +DISK READ / WRITTEN +PIDS");
        assertThat(lines.get(1))
                .matches(
                        "default/p +50.0 % +20.0 MB +268 MB +75.0 % +80.0 MB +1.0 kB / 2.0 kB +3.0 kB / 4.0 kB +4");
        assertThat(shell.podvm("stats", "p", "--containers").out())
                .contains("default/p/cx   25.0 %   10.0 MB   -  ");
        assertThat(shell.podvm("stats", "-o", "json").out())
                .contains("\"cpuNanosPerSecond\": 500000000", "\"manager\": \"podvm\"");
        assertThat(shell.podvm("stats", "nobody").code()).isEqualTo(125);
        shell.podvm("stop", "-t", "0", "p");
        assertThat(shell.podvm("stats").out().lines()).hasSize(1);
        assertThat(shell.podvm("stats", "p").err()).contains("pod p has ended");
    }

    @Test
    void whatHappenedToPodsIsTold() {
        run(pod("p", "sleep"), "-d");
        assertThat(shell.podvm("events").out())
                .containsPattern("(?m)^\\S+Z +created +default/p \\([0-9a-f]{12}\\)$")
                .containsPattern("(?m) exited +default/p/c \\([0-9a-f]{12}\\) code 3 Error$");
        assertThat(shell.podvm("events", "-o", "json").out())
                .startsWith("{\"event\": \"pod\", \"at\": \"")
                .contains("\"kind\": \"exited\", \"exitCode\": 3, \"reason\": \"Error\"");
        assertThat(shell.podvm("events", "-f").err()).contains("7 events are missing");
        assertThat(shell.podvm("events", "-f", "-o", "json").out())
                .endsWith("{\"event\": \"lost\", \"count\": 7}\n");
        assertThat(shell.podvm("events", "--since", "2199-01-01T00:00:00Z").out()).isEmpty();
    }

    @Test
    void theProcessesOfAPodAreListed() {
        run(pod("p", "sleep", "sleep"), "-d");
        var lines = shell.podvm("top", "p").out().lines().toList();
        assertThat(lines.get(0)).matches("CONTAINER +PID +PPID +UID +STATE +CPU +MEMORY +COMMAND");
        assertThat(lines.get(1)).matches("c +1 +0 +65534 +S +1:01.23 +4.0 MB +sleep 10");
        assertThat(shell.podvm("top", "p", "-c", "cx").out().lines()).hasSize(2);
        assertThat(shell.podvm("top", "p", "-c", "x").err()).contains("it has c", "cx");
        assertThat(shell.podvm("top", "p", "-o", "json").out()).contains("\"cpuMs\": 61230");
    }

    @Test
    void aManifestsProblemsAreTold() {
        var result = run("apiVersion: v1\nkind: Pod\nmetadata: {name: P}\nspec: {contaners: []}\n");
        assertThat(result.code()).isEqualTo(125);
        assertThat(result.err())
                .startsWith("podvm: manifest - has 3 problems\n")
                .contains(
                        "  line 4, column 8: spec.contaners: unknown field, did you mean containers?\n")
                .endsWith("  correct it and run it again\n");
    }

    @Test
    void aFileThatIsNotThereIsTold() {
        var result = shell.podvm("run", "/nowhere.yaml");
        assertThat(result.code()).isEqualTo(125);
        assertThat(result.err()).startsWith("podvm: there is no file /nowhere.yaml\n  ");
    }

    @Test
    void logsAreFilteredAsAsked() {
        run(pod("p", "lines, \"5\"", "echo, other"), "--no-prefix");
        assertThat(shell.podvm("logs", "p", "-c", "c", "--tail=3").out())
                .contains("line 5\n")
                .doesNotContain("line 1\n");
        assertThat(shell.podvm("logs", "p", "--prefix", "-ccx").out()).isEqualTo("cx | other\n");
        assertThat(shell.podvm("logs", "p", "--since", "1h", "-f").out().lines()).hasSize(6);
        assertThat(shell.podvm("logs", "p", "--since", "2199-01-01T00:00:00Z").out()).isEmpty();
        assertThat(shell.podvm("logs", "p", "--timestamps", "-c", "cx").out())
                .matches("\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z other\n");
        assertThat(shell.podvm("logs", "p", "--since", "yesterday").code()).isEqualTo(2);
    }

    @Test
    void execPassesInputAndReturnsTheCommandsCode() {
        run(pod("p", "sleep"), "-d");
        assertThat(shell.withInput("in", "exec", "-i", "p", "--", "cat"))
                .isEqualTo(new Result(0, "in", ""));
        assertThat(shell.podvm("exec", "p", "exit", "9").code()).isEqualTo(9);
        assertThat(shell.podvm("exec", "p", "warn", "-x").err()).isEqualTo("-x\n");
        var missing = shell.podvm("exec", "p", "nothing");
        assertThat(missing.code()).isEqualTo(127);
        assertThat(missing.err()).isEqualTo("podvm: no such program: nothing\n");
        assertThat(shell.podvm("exec", "-t", "p", "true").code()).isEqualTo(2);
        assertThat(shell.podvm("exec", "p", "--").code()).isEqualTo(2);
        assertThat(shell.podvm("exec", "no", "true").err())
                .isEqualTo("podvm: no pod no\n  podvm ps -a shows those there are\n");
    }

    @Test
    void attachPassesInputAndReturnsTheContainersCode() {
        run(pod("p", "cat"), "-d");
        assertThat(shell.withInput("in", "attach", "p")).isEqualTo(new Result(0, "in", ""));
    }

    @Test
    void inspectIsJson() {
        run(pod("p", "echo, a"));
        var json = shell.podvm("inspect", "p").out();
        assertThat(json)
                .contains("\"phase\": \"Succeeded\"")
                .contains("\"labels\": {}")
                .contains("\"restartPolicy\": \"Never\"")
                .containsPattern("\"created\": \"\\d{4}-");
        assertThat(shell.podvm("ps", "-a", "-o", "json").out())
                .startsWith("[\n  {")
                .contains("\"exitCode\": 0");
        assertThat(shell.podvm("ps", "-o", "yaml").code()).isEqualTo(2);
    }

    @Test
    void imagesArePulledImportedAndListed() throws Exception {
        var pulled = shell.podvm("pull", "nginx:1.29");
        assertThat(pulled.err().lines().toList())
                .startsWith(
                        "nginx:1.29 is docker.io/library/nginx:1.29",
                        "manifest: 1 B",
                        "layer 3f1c9d: 2.0 kB")
                .last()
                .asString()
                .matches("pulled 2.0 kB in [0-9.]+ s, [0-9.]+ [kM]?B/s");
        assertThat(pulled.out()).matches("sha256:[0-9a-f]{64}\n");
        var archive = Files.write(directory.resolve("a.tar"), new byte[1_500_000]);
        assertThat(shell.podvm("image", "import", "--name", "mine", archive.toString()).out())
                .matches("sha256:[0-9a-f]{64} mine\n");
        assertThat(shell.podvm("image", "import", "-").code()).isEqualTo(125);
        assertThat(shell.podvm("images").out())
                .contains("nginx:1.29   2.0 kB")
                .contains("mine         1.5 MB");
        assertThat(shell.podvm("images", "--output=json").out()).contains("\"diskBytes\": 1500000");
        assertThat(shell.podvm("image", "ls")).isEqualTo(shell.podvm("images"));
    }

    @Test
    void aPullTellsMachinesOneEventPerLine() {
        var lines = shell.podvm("pull", "-o", "json", "nginx:1.29").out().lines().toList();
        assertThat(lines.getFirst())
                .isEqualTo("{\"event\": \"name\", \"name\": \"docker.io/library/nginx:1.29\"}");
        assertThat(lines)
                .contains(
                        "{\"event\": \"progress\", \"step\": \"layer 3f1c9d\", \"done\": 2048,"
                                + " \"total\": 2048}");
        assertThat(lines.getLast()).startsWith("{\"event\": \"image\", \"id\": \"sha256:");
    }

    @Test
    void imagesAreInspectedTaggedAndRemoved() {
        var id = shell.podvm("pull", "nginx").out().strip();
        assertThat(shell.podvm("image", "inspect", "nginx").out())
                .startsWith("{\n  \"id\": \"" + id)
                .contains("\"pods\": [\n    \"default/web\"")
                .contains("\"verityRoot\": \"");
        assertThat(shell.podvm("image", "history", "nginx").out().lines().toList())
                .hasSize(3)
                .last()
                .asString()
                .contains("COPY app");
        assertThat(shell.podvm("image", "history", "-o", "json", "nginx").out())
                .startsWith("[\n  {\n    \"created\": null");
        assertThat(shell.podvm("image", "tag", "nginx", "other").out()).isEqualTo(id + "\n");
        assertThat(shell.podvm("images").out().lines()).hasSize(3);
        var byId = shell.podvm("image", "rm", id);
        assertThat(byId.code()).isEqualTo(125);
        assertThat(byId.err()).contains("has 2 names: nginx, other").contains("one at a time");
        assertThat(shell.podvm("image", "rm", "nginx").out()).isEqualTo("forgotten: nginx\n");
        assertThat(shell.podvm("image", "rm", "used").err())
                .isEqualTo(
                        "podvm: image used is used by pod default/web\n  stop what uses it first\n");
        assertThat(shell.podvm("image", "rm", id, "-o", "json").out()).contains("\"bytes\": 2048");
        assertThat(shell.podvm("image", "inspect", "nginx").code()).isEqualTo(125);
    }

    @Test
    void imagesArePrunedAndTellWhatThatGaveBack() {
        var id = shell.podvm("pull", "nginx").out().strip();
        assertThat(shell.podvm("image", "prune").out()).isEqualTo("given back: 0 B\n");
        assertThat(shell.podvm("image", "prune", "-a").out())
                .isEqualTo("forgotten: nginx\nremoved: " + id + "\ngiven back: 2.0 kB\n");
        assertThat(shell.podvm("image", "prune", "-a", "-o", "json").out())
                .contains("\"bytes\": 0");
    }

    @Test
    void templatesAreToldOfWhereThereAreNoneAndWrongWishesAreRefused() {
        assertThat(shell.podvm("template", "ls").out()).startsWith("VCPUS").hasLineCount(1);
        assertThat(shell.podvm("template", "ls", "-o", "json").out()).isEqualTo("[]\n");
        assertThat(shell.podvm("template", "prune").out()).isEqualTo("removed: 0\n");
        assertThat(shell.podvm("template", "build").err())
                .isEqualTo(
                        "podvm: this node makes no templates\n"
                                + "  set machine.templates to how many it may keep\n");
        assertThat(shell.podvm("template", "build", "--network", "lan").err())
                .contains("there is no network \"lan\"")
                .contains("user or cni");
        for (var wrong : new String[] {"0", "-1", "much", "9999999999"}) {
            var result = shell.podvm("template", "build", "--memory-mib", wrong);
            assertThat(result.code()).as(wrong).isEqualTo(2);
            assertThat(result.err()).contains("--memory-mib needs a number");
        }
        assertThat(shell.podvm("template", "make").err())
                .startsWith("podvm: there is no command podvm template make\n");
    }

    @Test
    void verifyEndsWith1WhereALayerIsDamaged() {
        shell.podvm("pull", "nginx");
        assertThat(shell.podvm("image", "verify").code()).isZero();
        shell.podvm("pull", "damaged");
        var result = shell.podvm("image", "verify");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.out())
                .contains("WHOLE")
                .contains("DAMAGED")
                .contains("  its bytes are others\n  podvm pull");
        assertThat(shell.podvm("image", "verify", "nginx").code()).isZero();
        assertThat(shell.podvm("image", "verify", "-o", "json").out())
                .contains("\"state\": \"DAMAGED\"");
    }

    @Test
    void anExportIsAWholeFileOrNone() throws Exception {
        var id = shell.podvm("pull", "nginx").out().strip();
        var file = directory.resolve("nginx.tar");
        assertThat(shell.podvm("image", "export", "nginx", file.toString()))
                .isEqualTo(new Result(0, id + "\n", ""));
        assertThat(Files.size(file)).isEqualTo(200_001);
        var packed = shell.podvm("image", "export", "--gzip", "nginx", file.toString());
        assertThat(packed.out()).isEqualTo("sha256:" + "0".repeat(64) + "\n");
        assertThat(packed.err()).contains("id is 000000000000 in the archive");
        assertThat(shell.podvm("image", "export", "nginx", "-").out())
                .hasSize(200_001)
                .endsWith(".");
        var other = directory.resolve("other.tar");
        assertThat(shell.podvm("image", "export", "nothing", other.toString()).code())
                .isEqualTo(125);
        try (var files = Files.list(directory)) {
            assertThat(files.map(f -> f.getFileName().toString()))
                    .containsExactlyInAnyOrder("run", "nginx.tar");
        }
    }

    @Test
    void theReferenceNamesEveryCommandAndItsOptions() throws Exception {
        var reference = Files.readString(Path.of("../../docs/reference/command.md"));
        for (var syntax : Commands.all()) {
            assertThat(reference).as(syntax.name()).contains("`podvm " + syntax.name());
            for (var option : syntax.options()) {
                assertThat(reference).as(syntax.name()).contains("`" + option.name());
            }
        }
    }

    @Test
    void doctorEndsWith1WhereSomethingIsMissing() {
        var result = shell.podvm("doctor");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.out())
                .contains("java")
                .contains("qemu")
                .endsWith("qemu:\n  install it\n");
        assertThat(shell.podvm("console", "$").code()).isEqualTo(125);
    }

    @Test
    void theVersionsAreTold() {
        assertThat(shell.podvm("version").out()).contains("podvmd   0.0-fake\n");
        run(pod("p", "echo, a"));
        assertThat(shell.podvm("console", "p").out()).contains("agent: ready");
    }

    @Test
    void aWrongCommandLineIs2() {
        assertThat(shell.podvm("nonsense").err())
                .isEqualTo(
                        "podvm: there is no command podvm nonsense\n  podvm --help shows them all\n");
        assertThat(shell.podvm("nonsense").code()).isEqualTo(2);
        assertThat(shell.podvm("ps", "--nonsense").code()).isEqualTo(2);
        assertThat(shell.podvm("ps", "more").code()).isEqualTo(2);
        assertThat(shell.podvm("logs").err()).contains("usage: podvm logs [options] POD");
        assertThat(shell.podvm("stop", "-t", "x", "p").code()).isEqualTo(2);
        assertThat(shell.podvm("stop", "-t").code()).isEqualTo(2);
        assertThat(shell.podvm("--host", "tcp://x", "ps").code()).isEqualTo(2);
    }

    @Test
    void helpAndCompletionNeedNoDaemon() {
        var nowhere = new CommandLine(directory.resolve("nowhere"));
        assertThat(nowhere.podvm("--help").out()).contains("Exit codes:").contains("completion");
        assertThat(nowhere.podvm("help", "run").out()).contains("--no-prefix");
        assertThat(nowhere.podvm("help", "image", "prune").out()).contains("-a, --all");
        assertThat(nowhere.podvm("image", "prune", "--help").out()).contains("-a, --all");
        assertThat(nowhere.podvm("image").code()).isEqualTo(2);
        assertThat(nowhere.podvm("image", "--help").out()).contains("image verify");
        assertThat(nowhere.podvm("image", "nonsense").err())
                .startsWith("podvm: there is no command podvm image nonsense\n");
        assertThat(nowhere.podvm("run", "--help").out()).contains("-d, --detach");
        for (var shell : new String[] {"bash", "zsh", "fish"}) {
            assertThat(nowhere.podvm("completion", shell).out())
                    .contains("inspect")
                    .contains("verify")
                    .contains("template")
                    .contains("cpu-millis")
                    .contains("--gzip".substring(2));
        }
        assertThat(nowhere.podvm("completion", "fish").out().lines())
                .filteredOn(line -> line.contains("-l detach"))
                .singleElement()
                .asString()
                .endsWith(" -d 'print the pods\\' ids and leave them running'");
        assertThat(nowhere.podvm("completion", "tcsh").code()).isEqualTo(2);
        assertThat(directory.resolve("nowhere")).doesNotExist();
    }

    @Test
    void whereNoDaemonCanBeStartedThatIsTold() {
        var nowhere = new CommandLine(directory.resolve("nowhere"));
        var result = nowhere.podvm("ps");
        assertThat(result.code()).isEqualTo(125);
        assertThat(result.err()).contains("none can be started: no podvm.home is set");
        assertThat(nowhere.podvm("doctor").out()).contains("podvmd").contains("MISSING");
        var named = shell.podvm("ps", "--host", "unix:///nowhere/node.sock");
        assertThat(named.err()).startsWith("podvm: no daemon answers at /nowhere/node.sock\n");
    }

    @Test
    void aRunDirectoryOfOthersIsRefused() throws Exception {
        Files.setPosixFilePermissions(
                directory.resolve("run"), PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThat(shell.podvm("ps").err()).contains("others may use the run directory");
    }
}
