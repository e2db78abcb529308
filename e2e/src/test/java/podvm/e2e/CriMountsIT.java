package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the kubelet mounts into containers, through crictl. */
class CriMountsIT {
    @RegisterExtension static final Node node = Node.ofKubelet();

    private static Crictl crictl;

    @BeforeAll
    static void crictlIsThere() throws Exception {
        crictl = Crictl.of(node);
    }

    /** Logs and paths belong to whoever asked for the container. */
    @AfterAll
    static void oursGoes() throws Exception {
        Files.deleteIfExists(node.base().resolve("tmp/main.log"));
        try (var all = Files.walk(node.base().resolve("paths"))) {
            for (var path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private static String mount(String place, Path host, String more) {
        return "{\"container_path\": \"%s\", \"host_path\": \"%s\"%s}".formatted(place, host, more);
    }

    @Test
    void pathsOfTheHostAreThereAlsoAfterTheDaemonsDeath() throws Exception {
        var host = Files.createDirectories(node.base().resolve("paths"));
        var hosts = Files.writeString(host.resolve("hosts"), "10.9.8.7 kubelets\n");
        var token = Files.createDirectories(host.resolve("token"));
        Files.writeString(token.resolve("token"), "first");
        var pod = crictl.sandbox("paths");
        var mounts =
                ", \"mounts\": [%s, %s, %s]"
                        .formatted(
                                mount("/etc/hosts", hosts, ""),
                                mount("/token", token, ", \"readonly\": true"),
                                mount("/data", host.resolve("data"), ""));
        var id = crictl.container(pod, "paths", "main", "exec sleep 1000", mounts);

        assertThat(crictl.out("exec", "--sync", id, "cat", "/etc/hosts", "/token/token"))
                .isEqualTo("10.9.8.7 kubelets\nfirst");
        assertThat(crictl.run("exec", "--sync", id, "touch", "/token/x").exit()).isNotZero();
        assertThat(crictl.out("inspect", id)).contains(hosts.toString());

        node.killDaemon();
        node.startDaemon();
        Files.writeString(token.resolve("token"), "second");

        Wait.until(
                "the container is known to run",
                () -> crictl.out("ps", "-q", "--no-trunc").contains(id));
        assertThat(crictl.out("exec", "--sync", id, "cat", "/token/token")).isEqualTo("second");
        crictl.out("exec", "--sync", id, "sh", "-c", "echo kept > /data/file");
        assertThat(host.resolve("data/file")).hasContent("kept\n");
        crictl.out("rmp", "--force", pod);
    }

    @Test
    void aMountThatWouldAppearOnTheHostIsRefusedByName() throws Exception {
        var pod = crictl.sandbox("refused");
        var config =
                crictl.file(
                        """
                        {"metadata": {"name": "main"}, "image": {"image": "localhost/box:1"},
                         "mounts": [{"container_path": "/m", "host_path": "%s", "propagation": 2}]}
                        """
                                .formatted(node.base()));

        var refused = crictl.run("create", pod, config, crictl.sandboxFile("refused"));

        assertThat(refused.exit()).isNotZero();
        assertThat(refused.err()).contains("Unimplemented").contains("mounts.propagation");
        crictl.out("rmp", "--force", pod);
    }
}
