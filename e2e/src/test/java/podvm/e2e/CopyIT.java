package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** podvm cp with a real container. */
class CopyIT {
    @RegisterExtension static final Node node = Node.ordinary();

    private static final int LARGE = 20 << 20;

    @BeforeAll
    static void aPodRuns() throws Exception {
        node.running(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: box}
                spec:
                  terminationGracePeriodSeconds: 0
                  volumes: [{name: scratch, emptyDir: {}}]
                  containers:
                    - name: main
                      image: localhost/box:1
                      command: [sleep, "100000"]
                      volumeMounts: [{name: scratch, mountPath: /scratch}]
                """);
    }

    private static Path here(String name) {
        return node.base().resolve("tmp").resolve(name);
    }

    @Test
    void aTreeGoesInAndComesOutTheSame() throws Exception {
        var tree = Files.createDirectories(here("tree/sub"));
        Files.writeString(here("tree/a"), "text");
        Files.createLink(here("tree/b"), here("tree/a"));
        Files.createSymbolicLink(here("tree/c"), Path.of("../../etc/passwd"));
        var bytes = new byte[LARGE];
        new java.util.Random(7).nextBytes(bytes);
        Files.write(tree.resolve("large"), bytes);
        node.podvm("cp", here("tree").toString(), "box:/scratch").expect(0);
        assertThat(
                        node.shell(
                                "box",
                                "main",
                                "cd /scratch/tree; cat a; stat -c '%h %u' b; readlink c"))
                .isEqualTo("text2 0\n../../etc/passwd\n");
        node.podvm("cp", "box:/scratch/tree", here("back").toString()).expect(0);
        assertThat(Files.readAllBytes(here("back/sub/large"))).isEqualTo(bytes);
        assertThat(Files.getAttribute(here("back/b"), "unix:nlink")).isEqualTo(2);
        assertThat(Files.readSymbolicLink(here("back/c"))).hasToString("../../etc/passwd");
        Host.deleteTree(here("tree"));
        Host.deleteTree(here("back"));
    }

    @Test
    void aFileOfTheImageIsReadAndOneOfTheContainerReplaced() throws Exception {
        node.podvm("cp", "box:/etc/passwd", here("passwd").toString()).expect(0);
        assertThat(here("passwd")).content().contains("root:x:0:0");
        node.shell("box", "main", "echo before >/root-file; chmod 604 /root-file");
        node.podvm("cp", here("passwd").toString(), "box:/root-file").expect(0);
        assertThat(node.shell("box", "main", "head -c 4 /root-file; stat -c ' %a' /root-file"))
                .isEqualTo("root 604\n");
        Files.delete(here("passwd"));
    }

    @Test
    void linksOfAContainerDoNotLeadOutOfIt() throws Exception {
        node.shell("box", "main", "ln -sf ../../../../../../.. /scratch/up; mkdir -p /scratch/in");
        var file = Files.writeString(here("note"), "inside");
        node.podvm("cp", file.toString(), "box:/scratch/up/note").expect(0);
        assertThat(node.shell("box", "main", "cat /note")).isEqualTo("inside");
        assertThat(node.podvm("cp", "box:/nowhere", here("x").toString()).expect(125).err())
                .contains("/nowhere");
        assertThat(node.podvm("cp", file.toString(), "box:/none/x").expect(125).err())
                .contains("/none");
        Files.delete(file);
    }
}
