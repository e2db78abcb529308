package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pods that came over CRI, seen by the command. */
class KubeletPodsIT {
    @RegisterExtension static final Node node = Node.ofKubelet();

    private static Crictl crictl;
    private static String pod = "";

    @BeforeAll
    static void aKubeletsPodRuns() throws Exception {
        crictl = Crictl.of(node);
        pod = crictl.sandbox("seen");
        crictl.container(
                pod,
                "seen",
                "main",
                "httpd -p 127.0.0.1:7004 -h /etc; echo hello; while read line; do echo heard $line; done; exec sleep 1000",
                ", \"stdin\": true");
    }

    @AfterAll
    static void ourLogsGo() throws Exception {
        crictl.out("rmp", "--force", pod);
        for (var name : List.of("main", "other", "brief")) {
            Files.deleteIfExists(node.base().resolve("tmp/" + name + ".log"));
        }
    }

    @Test
    void itIsListedWithItsManagerAndFoundByNameAndId() throws Exception {
        var line =
                node.podvm("ps").expect(0).lines().stream()
                        .filter(one -> one.contains("seen"))
                        .findFirst()
                        .orElseThrow();
        assertThat(line).contains(pod.substring(0, 12), "1/1", "Running", "kubelet");
        for (var reference : List.of(pod, pod.substring(0, 13), "seen", "default/seen")) {
            var json = node.inspect(reference);
            assertThat(json.path("sandboxId").asString()).isEqualTo(pod);
            assertThat(json.path("manager").asString()).isEqualTo("kubelet");
        }
        var container = node.inspect("seen").path("containers").get(0);
        assertThat(container.path("name").asString()).isEqualTo("main");
        assertThat(container.path("state").asString()).isEqualTo("running");
        assertThat(container.path("id").asString())
                .isEqualTo(crictl.out("ps", "-q", "--no-trunc", "--pod", pod));
    }

    @Test
    void itsLogIsReadAndFollowed() throws Exception {
        Wait.until("the log is there", () -> node.podvm("logs", "seen").out().contains("hello"));
        assertThat(node.podvm("logs", "seen", "-c", "main", "--timestamps").expect(0).out())
                .containsPattern("\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z hello");
        try (var logs = node.start("logs", "-f", "seen");
                var attached = node.start("attach", "seen")) {
            attached.type("a word\n");
            logs.awaitOutput("heard a word");
            attached.awaitOutput("heard a word");
        }
        assertThat(node.podvm("logs", "seen", "--tail", "1").expect(0).out())
                .isEqualTo("heard a word\n");
    }

    @Test
    void aCommandRunsInIt() throws Exception {
        assertThat(node.podvm("exec", "default/seen", "hostname").expect(0).out().strip())
                .isEqualTo("seen");
        node.podvm("exec", "-c", "main", "seen", "--", "sh", "-c", "exit 3").expect(3);
        var words = node.command("exec", "-it", "seen", "sh");
        var line = "stty rows 31 cols 97; exec '%s'".formatted(String.join("' '", words));
        try (var shell = node.startProgram(List.of("script", "-qefc", line, "/dev/null"))) {
            shell.type("tty; stty size; exit 7\n");
            assertThat(shell.awaitOutput("31 97")).contains("/dev/pts/");
            assertThat(shell.await().exit()).isEqualTo(7);
        }
    }

    @Test
    void itsPortsAndItsConsoleAreReached() throws Exception {
        try (var forward = node.start("port-forward", "seen", ":7004")) {
            var port = LocalPort.all(forward, 1).getFirst();
            Wait.until("it answers", () -> LocalPort.page(port, "passwd").contains("root:x:0:0"));
        }
        assertThat(node.podvm("console", "seen").expect(0).out()).isNotEmpty();
    }

    @Test
    void itIsLeftToItsKubeletToEnd() throws Exception {
        var stop = node.podvm("stop", "seen").expect(125);
        assertThat(stop.err())
                .contains("kubelet's")
                .contains("kubectl delete pod -n default seen")
                .contains("crictl stopp");
        node.podvm("rm", "-f", "seen").expect(125);
        assertThat(node.inspect("seen").path("phase").asString()).isEqualTo("Running");
    }

    @Test
    void whatItUsesIsShownBesideWhatItsMachineCosts() throws Exception {
        var stats = node.podvm("stats", "seen", "--output", "json").expect(0).json().get(0);
        assertThat(stats.path("manager").asString()).isEqualTo("kubelet");
        var use = stats.path("use");
        assertThat(use.path("cpuNanosPerSecond").asLong()).isNotNegative();
        assertThat(use.path("processes").asLong()).isGreaterThanOrEqualTo(2);
        assertThat(use.path("memoryBytes").asLong()).isPositive();
        assertThat(stats.path("machine").path("memoryBytes").asLong())
                .isGreaterThan(use.path("memoryBytes").asLong());
        assertThat(stats.path("containers").get(0).path("name").asString()).isEqualTo("main");
        assertThat(node.podvm("stats", "--containers").expect(0).out())
                .contains("default/seen ", "default/seen/main ");
    }

    @Test
    void itsProcessesAreListed() throws Exception {
        var all = node.podvm("top", "seen", "--output", "json").expect(0).json();
        assertThat(all.get(0).path("container").asString()).isEqualTo("main");
        // its pod has one namespace of process ids, in which no container is process 1
        assertThat(all.findValuesAsString("pid")).hasSize(2).doesNotContain("1");
        assertThat(all.findValuesAsString("uid")).containsOnly("0");
        assertThat(all.findValuesAsString("command"))
                .anyMatch(command -> command.startsWith("sh -c"))
                .contains("httpd -p 127.0.0.1:7004 -h /etc");
        assertThat(node.podvm("top", "seen", "-c", "nobody").expect(125).err()).contains("main");
    }

    @Test
    void whatHappensToItIsTold() throws Exception {
        var told = node.podvm("events").expect(0).out();
        assertThat(told)
                .containsSubsequence(
                        "created     default/seen (",
                        "created     default/seen/main",
                        "started     default/seen/main");
        try (var events = node.start("events", "-f")) {
            var other = crictl.sandbox("told");
            crictl.container(other, "told", "other", "exit 4", "");
            events.awaitOutput("default/told/other");
            Wait.until("the exit is told", () -> events.out().contains("code 4 Error"));
            crictl.out("rmp", "--force", other);
            Wait.until(
                    "the removal is told",
                    () -> events.out().contains("removed     default/told ("));
        }
    }

    @Test
    void whoWaitsLearnsItsExitCode() throws Exception {
        var brief = crictl.sandbox("brief");
        crictl.container(brief, "brief", "brief", "exit 5", "");
        try (var wait = node.start("wait", "brief")) {
            Wait.until(
                    "the container has ended",
                    () -> node.inspect("brief").path("containers").toString().contains("Error"));
            crictl.out("stopp", brief);
            assertThat(wait.await().expect(5).out().strip()).isEqualTo("5");
        }
        assertThat(node.podvm("ps", "-a").expect(0).out()).contains("brief");
        assertThat(node.podvm("ps").expect(0).out()).doesNotContain("brief");
        crictl.out("rmp", brief);
        assertThat(node.podvm("inspect", "brief").expect(125).err()).contains("no such pod");
    }

    @Test
    void twoPodsOfOneNameAreTold() throws Exception {
        var manifest =
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: twin}
                spec:
                  terminationGracePeriodSeconds: 0
                  containers:
                    - {name: main, image: "localhost/box:1", command: [sleep, "1000"]}
                """;
        var own = node.running(manifest);
        var other = crictl.sandbox("twin");
        assertThat(node.podvm("inspect", "twin").expect(125).err())
                .contains(own.substring(0, 12), other.substring(0, 12));
        assertThat(node.inspect(own).path("manager").asString()).isEqualTo("podvm");
        node.podvm("rm", "-f", own).expect(0);
        assertThat(node.inspect("twin").path("sandboxId").asString()).isEqualTo(other);
        crictl.out("rmp", "--force", other);
    }
}
