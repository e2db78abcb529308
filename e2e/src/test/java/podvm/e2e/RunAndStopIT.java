package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class RunAndStopIT {
    /** Ends by itself on SIGTERM, with a word; otherwise never. */
    private static final String POLITE =
            "trap \"echo bye; exit 0\" TERM; echo ready; while true; do usleep 50000; done";

    private static final String STUBBORN =
            "trap \"echo no\" TERM INT; echo ready; while true; do usleep 50000; done";

    @RegisterExtension static final Node node = Node.ordinary();

    private static String pod(String name, int grace, String script) {
        return """
        apiVersion: v1
        kind: Pod
        metadata: {name: %s}
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: %d
          containers:
            - name: main
              image: localhost/box:1
              command: [sh, -c, '%s']
        """
                .formatted(name, grace, script);
    }

    @Test
    void severalContainersArePrefixedAndTheExitCodeIsThePods() throws Exception {
        var ended =
                node.podvm(
                                "run",
                                node.manifest(
                                                """
                                                apiVersion: v1
                                                kind: Pod
                                                metadata: {name: pair}
                                                spec:
                                                  restartPolicy: Never
                                                  containers:
                                                    - {name: a, image: "localhost/box:1", command: [echo, one]}
                                                    - {name: longer, image: "localhost/box:1", command: [sh, -c, 'echo two >&2; exit 3']}
                                                """)
                                        .toString())
                        .expect(3);

        assertThat(ended.lines()).contains("a      | one");
        assertThat(ended.out() + ended.err()).contains("longer | two").doesNotContain("\u001b[");
    }

    @Test
    void runWithRmLeavesNoPod() throws Exception {
        node.podvm("run", "--rm", node.manifest(pod("gone", 1, "exit 5")).toString()).expect(5);

        assertThat(node.podvm("ps", "-a", "-o", "json").expect(0).out()).doesNotContain("gone");
    }

    @Test
    void controlCStopsGracefully() throws Exception {
        try (var run = node.start("run", node.manifest(pod("polite", 60, POLITE)).toString())) {
            run.awaitOutput("ready");
            run.signal("INT");
            var ended = run.await();
            assertThat(ended.exit()).isIn(0, 130);
            assertThat(ended.out()).contains("bye");
        }
        assertThat(node.inspect("polite").path("phase").asString()).isEqualTo("Succeeded");
    }

    @Test
    void aSecondControlCKills() throws Exception {
        try (var run =
                node.start("run", node.manifest(pod("stubborn", 3600, STUBBORN)).toString())) {
            run.awaitOutput("ready");
            run.signal("INT");
            run.awaitOutput("no\n");
            run.signal("INT");
            assertThat(run.await().exit()).isIn(130, 137);
        }
        node.awaitPhase("stubborn", "Failed");
    }

    @Test
    void stopSignalsWaitsForTheEndAndKillsAfterTheGracePeriod() throws Exception {
        node.detached(pod("slow", 1, STUBBORN));
        try (var follow = node.start("logs", "-f", "slow")) {
            follow.awaitOutput("ready");
            node.podvm("stop", "slow").expect(0);
            assertThat(follow.await().out()).isEqualTo("ready\nno\n");
        }
        var main = node.container("slow", "main");
        assertThat(main.path("exitCode").asInt()).isEqualTo(137);
        assertThat(main.path("signal").asInt()).isEqualTo(9);
        node.podvm("wait", "slow").expect(137);
    }

    @Test
    void aGracePeriodOnTheCommandLineWins() throws Exception {
        node.detached(pod("hurried", 3600, STUBBORN));
        try (var follow = node.start("logs", "-f", "hurried")) {
            follow.awaitOutput("ready");
            node.podvm("stop", "-t", "0", "hurried").expect(0);
            follow.await(Duration.ofSeconds(30));
        }
    }

    @Test
    void theImagesStopSignalIsUsed() throws Exception {
        var archive =
                ImageArchives.dockerArchive(
                        node.base().resolve("manifests/usr1.tar"),
                        "localhost/usr1:1",
                        "\"StopSignal\":\"SIGUSR1\",\"Env\":[\"PATH=/bin\"]");
        node.podvm("image", "import", archive.toString()).expect(0);
        var script =
                "trap \"echo USR1; exit 4\" USR1; echo ready; while true; do usleep 50000; done";
        node.detached(pod("usr1", 60, script).replace("localhost/box:1", "localhost/usr1:1"));
        try (var follow = node.start("logs", "-f", "usr1")) {
            follow.awaitOutput("ready");
            node.podvm("stop", "usr1").expect(0);
            assertThat(follow.await().out()).isEqualTo("ready\nUSR1\n");
        }
        node.podvm("wait", "usr1").expect(4);
    }

    @Test
    void aRunningPodIsRemovedOnlyByForceAndItsNameIsFreeAgain() throws Exception {
        var id = node.running(pod("held", 3600, STUBBORN));

        var twice =
                node.podvm("run", "-d", node.manifest(pod("held", 1, "true")).toString())
                        .expect(125);
        assertThat(twice.err()).contains("default/held").contains("podvm rm -f held");
        var refused = node.podvm("rm", "held").expect(125);
        assertThat(refused.err()).contains("held").contains("podvm rm -f");
        node.podvm("rm", "-f", "held").expect(0);

        assertThat(node.podvm("inspect", id).expect(125).err()).contains(id);
        assertThat(node.run(pod("held", 1, "echo again")).expect(0).out()).isEqualTo("again\n");
    }
}
