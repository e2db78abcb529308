package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One pod whose containers say as whom they run. */
class UsersIT {
    @RegisterExtension static final Node node = Node.ordinary();

    @BeforeAll
    static void aPodOfManyUsersRuns() throws Exception {
        importAs("localhost/named:1", "app");
        importAs("localhost/grouped:1", "app:audio");
        importAs("localhost/unknown:1", "nobody-here");
        node.run(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: people}
                spec:
                  restartPolicy: Never
                  containers:
                    - {name: root, image: localhost/box:1, command: [id]}
                    - {name: named, image: localhost/named:1, command: [sh, -c, 'id; echo $HOME']}
                    - {name: grouped, image: localhost/grouped:1, command: [id]}
                    - name: number
                      image: localhost/box:1
                      command: [id]
                      securityContext: {runAsUser: 1000}
                    - name: stranger
                      image: localhost/box:1
                      command: [sh, -c, 'id; touch /tmp/fine && touch /root/denied']
                      securityContext: {runAsUser: 4000, runAsGroup: 5000}
                    - {name: unknown, image: localhost/unknown:1, command: [id]}
                    - name: not-root
                      image: localhost/box:1
                      command: [id]
                      securityContext: {runAsNonRoot: true}
                """);
    }

    private static void importAs(String name, String user) throws Exception {
        var archive =
                ImageArchives.dockerArchive(
                        node.base().resolve("manifests/" + user.hashCode() + ".tar"),
                        name,
                        "\"User\":\"%s\",\"Env\":[\"PATH=/bin\"]".formatted(user));
        node.podvm("image", "import", archive.toString()).expect(0);
    }

    private static String said(String container) throws Exception {
        var log = node.podvm("logs", "-c", container, "people").expect(0);
        return log.out() + log.err();
    }

    @Test
    void withoutAUserItIsRoot() throws Exception {
        assertThat(said("root")).startsWith("uid=0(root) gid=0(root)");
    }

    @Test
    void theImagesUserIsLookedUpByNameInItsOwnFiles() throws Exception {
        assertThat(said("named"))
                .startsWith("uid=1000(app) gid=1001(staff)")
                .contains("1002(audio)")
                .contains("/home/app");
    }

    @Test
    void theImagesGroupIsLookedUpByNameToo() throws Exception {
        assertThat(said("grouped")).startsWith("uid=1000(app) gid=1002(audio)");
    }

    @Test
    void aUserGivenByNumberHasTheGroupsOfTheImagesFiles() throws Exception {
        assertThat(said("number"))
                .startsWith("uid=1000(app) gid=1001(staff)")
                .contains("1002(audio)");
    }

    @Test
    void aUserWhomTheImageDoesNotKnowCanRunAndHasNoRights() throws Exception {
        assertThat(said("stranger")).startsWith("uid=4000 gid=5000").contains("Permission denied");
    }

    @Test
    void aNameThatTheImageDoesNotHaveFailsTheContainerAndSaysSo() throws Exception {
        var container = node.container("people", "unknown");
        assertThat(container.path("state").asString()).isEqualTo("terminated");
        assertThat(container.path("message").asString()).contains("nobody-here");
    }

    @Test
    void runAsNonRootRefusesRoot() throws Exception {
        var container = node.container("people", "not-root");
        assertThat(container.path("message").asString())
                .contains("runAsNonRoot")
                .contains("runAsUser");
        assertThat(said("not-root")).isEmpty();
    }
}
