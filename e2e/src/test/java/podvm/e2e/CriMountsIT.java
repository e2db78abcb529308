package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
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

    @AfterEach
    void podsGo() throws Exception {
        for (var pod : crictl.out("pods", "-q").lines().toList()) {
            crictl.out("rmp", "--force", pod);
        }
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
    }

    @Test
    void theFilesOfAnImageAreAVolume() throws Exception {
        var lower =
                new Tar()
                        .folder("etc", 0755)
                        .file("etc/name", "lower\n")
                        .file("etc/gone", "never seen\n")
                        .link("out", "/etc/passwd");
        var upper =
                new Tar().folder("etc", 0755).file("etc/name", "upper\n").file("etc/.wh.gone", "");
        var archive = node.base().resolve("tmp/tools.tar");
        ImageArchives.layered(archive, "localhost/tools:1", lower.end(), upper.end());
        node.podvm("image", "import", archive.toString()).expect(0);
        Files.delete(archive);
        var pod = crictl.sandbox("image");
        var image =
                """
                {"container_path": "%s", "readonly": true, "image": {"image": "%s"}, "image_sub_path": "%s"}\
                """;
        var mounts =
                ", \"mounts\": [%s, %s, %s]"
                        .formatted(
                                image.formatted("/tools", "localhost/tools:1", ""),
                                image.formatted("/etc2", "localhost/tools:1", "etc"),
                                image.formatted("/box", "localhost/box:1", ""));
        var id = crictl.container(pod, "image", "main", "exec sleep 1000", mounts);

        assertThat(crictl.out("exec", "--sync", id, "cat", "/tools/etc/name", "/etc2/name"))
                .isEqualTo("upper\nupper");
        assertThat(crictl.out("exec", "--sync", id, "ls", "/etc2")).isEqualTo("name");
        assertThat(crictl.run("exec", "--sync", id, "touch", "/tools/x").exit()).isNotZero();
        assertThat(crictl.out("exec", "--sync", id, "/box/bin/busybox", "echo", "runs"))
                .isEqualTo("runs");
        assertThat(crictl.out("inspect", id)).contains("imageRef\": \"sha256:");
        assertThat(node.podvm("image", "rm", "localhost/tools:1").exit()).isNotZero();

        var nowhere = image.formatted("/x", "localhost/tools:1", "not/there");
        assertThat(refused(pod, "image", nowhere)).contains("not/there");
        var writable = image.formatted("/x", "localhost/tools:1", "").replace("true", "false");
        assertThat(refused(pod, "image", writable)).contains("InvalidArgument");
        crictl.out("rmp", "--force", pod);
        node.podvm("image", "rm", "localhost/tools:1").expect(0);
    }

    /** What is said of a container with a mount that cannot be. */
    private static String refused(String sandbox, String pod, String mount) throws Exception {
        var config =
                crictl.file(
                        """
                        {"metadata": {"name": "other"}, "image": {"image": "localhost/box:1"},
                         "mounts": [%s]}
                        """
                                .formatted(mount));
        var refused = crictl.run("create", sandbox, config, crictl.sandboxFile(pod));
        assertThat(refused.exit()).isNotZero();
        return refused.err();
    }

    @Test
    void aMountThatWouldAppearOnTheHostIsRefusedByName() throws Exception {
        var pod = crictl.sandbox("refused");
        var both = mount("/m", node.base(), ", \"propagation\": 2");

        assertThat(refused(pod, "refused", both))
                .contains("Unimplemented")
                .contains("mounts.propagation");
    }
}
