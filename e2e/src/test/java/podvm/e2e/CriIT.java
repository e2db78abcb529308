package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
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
