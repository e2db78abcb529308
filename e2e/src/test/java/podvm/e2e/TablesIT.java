package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the command tells about pods, images and itself. */
class TablesIT {
    @RegisterExtension static final Node node = Node.ordinary();

    private static String id = "";

    @BeforeAll
    static void onePodRunsAndOneHasEnded() throws Exception {
        node.run(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: ended}
                spec:
                  restartPolicy: Never
                  containers:
                    - {name: main, image: "localhost/box:1", command: [sh, -c, exit 3]}
                """);
        id =
                node.running(
                        """
                        apiVersion: v1
                        kind: Pod
                        metadata: {name: alive, namespace: other, labels: {app: demo}}
                        spec:
                          terminationGracePeriodSeconds: 1
                          containers:
                            - {name: main, image: "localhost/box:1", command: [sleep, "100000"]}
                        """);
    }

    @Test
    void psShowsWhatRunsInAlignedColumns() throws Exception {
        var lines = node.podvm("ps").expect(0).lines();
        assertThat(lines).hasSize(2);
        assertThat(lines.get(1))
                .contains("alive")
                .contains("Running")
                .contains(id.substring(0, 12));
        for (var column : List.of("NAME", "STATUS")) {
            assertThat(lines.get(0)).contains(column);
        }
        assertThat(lines.get(1).indexOf("other/alive")).isEqualTo(lines.get(0).indexOf("NAME"));
    }

    @Test
    void psWithAllShowsWhatHasEndedToo() throws Exception {
        assertThat(node.podvm("ps", "-a").expect(0).out()).contains("alive").contains("ended");
        assertThat(node.podvm("ps").expect(0).out()).doesNotContain("ended");
    }

    @Test
    void everyTableIsJsonOnDemand() throws Exception {
        var pods = node.podvm("ps", "-a", "--output", "json").expect(0).json();
        assertThat(pods).hasSize(2);
        assertThat(pods.findValuesAsString("name")).contains("alive", "ended");
        var images = node.podvm("images", "--output", "json").expect(0).json();
        assertThat(images.get(0).path("names").toString()).contains("localhost/box:1");
        var version = node.podvm("version", "--output", "json").expect(0).json();
        assertThat(version.toString()).contains(Long.toString(node.daemonPid()));
        var doctor = node.podvm("doctor", "--output", "json").json();
        assertThat(doctor.toString()).contains("QEMU").contains("guest kernel");
    }

    @Test
    void inspectTellsAllAboutAPod() throws Exception {
        var pod = node.inspect("other/alive");
        assertThat(pod.path("id").asString()).isEqualTo(id);
        assertThat(pod.path("labels").path("app").asString()).isEqualTo("demo");
        assertThat(pod.path("restartPolicy").asString()).isEqualTo("Always");
        assertThat(Instant.parse(pod.path("created").asString())).isBefore(Instant.now());
        assertThat(pod.path("ips").get(0).asString()).startsWith("10.");
        assertThat(pod.path("timeline").findValuesAsString("name"))
                .containsSubsequence(
                        "accepted",
                        "images.ready",
                        "machine.started",
                        "agent.connected",
                        "sandbox.configured",
                        "container.started main");
        var main = pod.path("containers").get(0);
        assertThat(main.path("imageId").asString()).isNotEmpty();
        assertThat(main.path("state").asString()).isEqualTo("running");
    }

    @Test
    void aPodIsFoundByIdByPrefixAndByName() throws Exception {
        for (var reference :
                List.of(id, id.substring(0, 12), id.substring(0, 5), "alive", "other/alive")) {
            assertThat(node.inspect(reference).path("id").asString()).isEqualTo(id);
        }
    }

    @Test
    void waitPrintsAndPassesTheExitCode() throws Exception {
        assertThat(node.podvm("wait", "ended").expect(3).out().strip()).isEqualTo("3");
    }

    @Test
    void doctorTellsWhatIsThere() throws Exception {
        var findings = node.podvm("doctor").expect(0);
        assertThat(findings.out())
                .contains("QEMU")
                .contains("guest kernel")
                .contains("guest initramfs")
                .contains("KVM");
    }

    @Test
    void doctorFailsWhereTheGuestIsMissingAndSaysWhatToDo() throws Exception {
        try (var bare = Node.with("directory.guest=/nonexistent").withoutImage().opened()) {
            var findings = bare.podvm("doctor").expect(1);
            assertThat(findings.out())
                    .contains("/nonexistent/vmlinux")
                    .containsIgnoringCase("missing");
        }
    }

    @Test
    void versionNamesTheDaemonAndItsState() throws Exception {
        assertThat(node.podvm("version").expect(0).out())
                .contains("0.1.0")
                .contains(node.state().toString());
    }

    @Test
    void theCompletionOfBashIsValidBash() throws Exception {
        var script = node.podvm("completion", "bash").expect(0).out();
        assertThat(script).contains("complete").contains("inspect");
        var file = Files.writeString(node.base().resolve("manifests/completion.bash"), script);
        Host.command("bash", "-n", file.toString());
        assertThat(Host.command("bash", "-c", "source " + file + " && complete -p podvm"))
                .contains("podvm");
    }

    @Test
    void theHelpNamesEveryCommandAndTheExitCodes() throws Exception {
        var help = node.podvm("--help").expect(0).out();
        for (var command :
                List.of(
                        "run",
                        "ps",
                        "logs",
                        "exec",
                        "attach",
                        "stop",
                        "rm",
                        "inspect",
                        "console",
                        "wait",
                        "images",
                        "pull",
                        "image",
                        "doctor",
                        "version",
                        "completion")) {
            assertThat(help).containsPattern("(?m)^\\s+" + command + "\\b");
        }
        for (var code : List.of("125", "126", "127", "130")) {
            assertThat(help).contains(code);
        }
    }
}
