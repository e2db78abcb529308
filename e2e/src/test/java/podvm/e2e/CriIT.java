package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pods that crictl runs, as the kubelet would. */
class CriIT {
    @RegisterExtension static final Node node = Node.ofKubelet();

    private static Crictl crictl;

    @BeforeAll
    static void crictlIsThere() throws Exception {
        crictl = Crictl.of(node);
    }

    /** Logs belong to whoever asked for the container. */
    @AfterAll
    static void ourLogsGo() throws Exception {
        Files.deleteIfExists(node.base().resolve("tmp/main.log"));
    }

    @Test
    void aPodLivesFromRunpToRmp() throws Exception {
        var pod = crictl.sandbox("life");
        var id =
                crictl.container(
                        pod, "life", "main", "echo hello; echo there >&2; exec sleep 1000", "");

        assertThat(crictl.out("pods", "-q", "--no-trunc", "--state", "ready", "--name", "life"))
                .isEqualTo(pod);
        assertThat(crictl.out("ps", "-q", "--no-trunc", "--pod", pod)).isEqualTo(id);
        Wait.until("the log has both lines", () -> crictl.run("logs", id).out().contains("hello"));
        assertThat(crictl.run("logs", id).expect(0).err()).contains("there");
        assertThat(Files.readString(node.base().resolve("tmp/main.log")))
                .contains("stdout F hello");

        // crictl writes both streams to its standard output
        assertThat(crictl.out("exec", "--sync", id, "sh", "-c", "echo out; echo err >&2"))
                .contains("out", "err");
        assertThat(crictl.out("exec", id.substring(0, 12), "hostname")).isEqualTo("life");
        assertThat(crictl.run("exec", id, "sh", "-c", "exit 3").exit()).isNotZero();

        crictl.out("stop", "--timeout", "0", id);
        assertThat(crictl.out("ps", "-a", "-q", "--no-trunc", "--state", "exited")).contains(id);
        crictl.out("stopp", pod);
        crictl.out("stopp", pod);
        assertThat(crictl.out("pods", "-q", "--state", "ready")).isEmpty();
        crictl.out("rmp", pod);
        assertThat(crictl.out("pods", "-q")).isEmpty();
        assertThat(crictl.out("ps", "-a", "-q")).isEmpty();
    }

    @Test
    void aTerminalIsOneInTheContainer() throws Exception {
        var pod = crictl.sandbox("terminal");
        var id = crictl.container(pod, "terminal", "main", "exec sleep 1000", "");

        for (var transport : List.of("spdy", "websocket")) {
            var words = crictl.command("exec", "-i", "-t", "--transport", transport, id, "sh");
            var line = "stty rows 31 cols 97; exec '%s'".formatted(String.join("' '", words));
            try (var shell = node.startProgram(List.of("script", "-qefc", line, "/dev/null"))) {
                shell.type("tty; stty size; exit 7\n");
                assertThat(shell.awaitOutput("31 97")).contains("/dev/pts/");
                assertThat(shell.await().exit()).isNotZero();
            }
        }
        crictl.out("rmp", "--force", pod);
    }

    @Test
    void whatOneSaysToAnAttachedContainerItHears() throws Exception {
        var pod = crictl.sandbox("attach");
        var id =
                crictl.container(
                        pod,
                        "attach",
                        "main",
                        "while read line; do echo heard $line; done",
                        ", \"stdin\": true");

        try (var attached = node.startProgram(crictl.command("attach", "-i", id))) {
            attached.type("a word\n");
            attached.awaitOutput("heard a word");
        }
        crictl.out("rmp", "--force", pod);
    }

    @Test
    void portsOfAPodAreForwardedOverEitherTransport() throws Exception {
        var pod = crictl.sandbox("ports");
        crictl.container(
                pod,
                "ports",
                "main",
                "httpd -f -p 127.0.0.1:7004 -h /etc & httpd -f -p [::1]:7006 -h /etc & wait",
                "");
        for (var port : List.of("7004", "7006")) {
            Wait.until("port " + port + " answers", () -> page("spdy", pod, port).contains("root"));
            assertThat(page("websocket", pod, port)).contains("root:x:0:0");
        }
        for (var transport : List.of("spdy", "websocket")) {
            try (var forward = forward(transport, pod, "81")) {
                assertThat(LocalPort.echo(LocalPort.all(forward, 1).getFirst(), 1)).isZero();
                Wait.until(
                        "the refusal is told",
                        () -> (forward.out() + forward.err()).contains("connection refused"));
            }
        }
        crictl.out("rmp", "--force", pod);
    }

    private static Running forward(String transport, String pod, String port) throws Exception {
        var words = crictl.command("port-forward", "--transport", transport, pod, ":" + port);
        return node.startProgram(words);
    }

    private static String page(String transport, String pod, String port) throws Exception {
        try (var forward = forward(transport, pod, port)) {
            return LocalPort.page(LocalPort.all(forward, 1).getFirst(), "passwd");
        }
    }

    @Test
    void aKilledDaemonsPodsAreTheNextOnes() throws Exception {
        var pod = crictl.sandbox("adopted");
        var id = crictl.container(pod, "adopted", "main", "exec sleep 1000", "");

        node.killDaemon();
        node.startDaemon();

        Wait.until(
                "the container is known to run",
                () -> crictl.out("ps", "-q", "--no-trunc").contains(id));
        assertThat(crictl.out("exec", "--sync", id, "hostname")).isEqualTo("adopted");
        crictl.out("rmp", "--force", pod);
    }

    @Test
    void whatAMachineCannotDoIsRefusedByName() throws Exception {
        var host =
                crictl.run(
                        "runp",
                        crictl.file(
                                """
                                {"metadata": {"name": "h", "uid": "h", "namespace": "default"},
                                 "linux": {"security_context": {"namespace_options": {"network": 2}}}}
                                """));

        assertThat(host.exit()).isNotZero();
        assertThat(host.err())
                .contains("Unimplemented")
                .contains("linux.security_context.namespace_options.network");
    }

    @Test
    void theRuntimeIsReadyAndTellsItsImages() throws Exception {
        assertThat(crictl.out("info")).contains("RuntimeReady").contains("NetworkReady");
        assertThat(crictl.out("version")).contains("podvm");
        assertThat(crictl.out("images")).contains("localhost/box");
        assertThat(crictl.out("imagefsinfo")).contains("usedBytes");
    }
}
