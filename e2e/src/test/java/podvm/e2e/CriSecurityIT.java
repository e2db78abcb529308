package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a kubelet may ask of a container's rights, through crictl. */
class CriSecurityIT {
    @RegisterExtension static final Node node = Node.ofKubelet();

    private static final String USERS =
            """
            "linux": {"security_context": {"namespace_options": {"userns_options": {"mode": 0,
              "uids": [{"container_id": 0, "host_id": 1000, "length": 100000}],
              "gids": [{"container_id": 0, "host_id": 1000, "length": 100000}]}}}}
            """;

    private static Crictl crictl;

    @BeforeAll
    static void crictlIsThere() throws Exception {
        crictl = Crictl.of(node);
    }

    private static String sandboxFile(String name, String more) throws Exception {
        return crictl.file(
                """
                {"metadata": {"name": "%1$s", "uid": "uid-%1$s", "namespace": "default"}%2$s}
                """
                        .formatted(name, more.isEmpty() ? "" : ", " + more));
    }

    /** Runs a container that sleeps; returns its id. */
    private static String container(String pod, String sandboxFile, String more) throws Exception {
        var config =
                crictl.file(
                        """
                        {"metadata": {"name": "main"}, "image": {"image": "localhost/box:1"},
                         "command": ["sleep", "1000"], %s}
                        """
                                .formatted(more));
        var id = crictl.out("create", pod, config, sandboxFile);
        crictl.out("start", id);
        return id;
    }

    private static String shell(String id, String script) throws Exception {
        return crictl.out("exec", "--sync", id, "sh", "-c", script + " 2>&1");
    }

    @Test
    void aProfileOfTheNodeHoldsForTheProgramAndForWhatIsExecutedBesideIt() throws Exception {
        var profile = node.base().resolve("tmp/block-chmod.json");
        Files.writeString(
                profile,
                """
                {"defaultAction": "SCMP_ACT_ALLOW",
                 "syscalls": [{"names": ["chmod", "fchmodat"], "action": "SCMP_ACT_ERRNO"}]}
                """);
        var file = sandboxFile("seccomp", "");
        var pod = crictl.out("runp", file);
        var id =
                container(
                        pod,
                        file,
                        """
                        "linux": {"security_context": {"namespace_options": {"pid": 1}, "seccomp":
                          {"profile_type": 2, "localhost_ref": "%s"}}}
                        """
                                .formatted(profile));
        assertThat(shell(id, "grep Seccomp: /proc/1/status")).endsWith("2");
        assertThat(shell(id, "chmod 400 /etc; true")).contains("Operation not permitted");
        assertThat(shell(id, "touch /new && echo made")).isEqualTo("made");
        Files.delete(profile);
        crictl.out("rmp", "--force", pod);
    }

    @Test
    void aPodsUsersAreOthersInItsMachine() throws Exception {
        var file = sandboxFile("users", USERS);
        var pod = crictl.out("runp", file);
        var id = container(pod, file, USERS);
        assertThat(shell(id, "cat /proc/self/uid_map").strip().split(" +"))
                .containsExactly("0", "1000", "100000");
        assertThat(shell(id, "id -u; touch /new; stat -c %u /new /etc/passwd"))
                .isEqualTo("0\n0\n0");

        var plain =
                crictl.run(
                        "create",
                        pod,
                        crictl.file(
                                """
                                {"metadata": {"name": "plain"}, "image": {"image": "localhost/box:1"},
                                 "command": ["true"]}
                                """),
                        file);
        assertThat(plain.exit()).isNotZero();
        assertThat(plain.err()).contains("userns_options");
        crictl.out("rmp", "--force", pod);
    }
}
