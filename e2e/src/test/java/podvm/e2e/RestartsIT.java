package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pods whose containers fail, all started together. */
class RestartsIT {
    @RegisterExtension
    static final Node node =
            Node.with("restart.first-backoff-ms=300", "restart.last-backoff-ms=1200");

    @BeforeAll
    static void allPodsAreStarted() throws Exception {
        node.podvm(
                        "run",
                        "-d",
                        node.manifest(
                                        """
                                        apiVersion: v1
                                        kind: Pod
                                        metadata: {name: third-time}
                                        spec:
                                          restartPolicy: OnFailure
                                          volumes: [{name: notes, emptyDir: {}}]
                                          initContainers:
                                            - name: first
                                              image: localhost/box:1
                                              command: [sh, -c, 'echo first >>/notes/order']
                                              volumeMounts: [{name: notes, mountPath: /notes}]
                                            - name: second
                                              image: localhost/box:1
                                              command: [sh, -c, 'echo second >>/notes/order; [ $(grep -c second /notes/order) = 2 ]']
                                              volumeMounts: [{name: notes, mountPath: /notes}]
                                          containers:
                                            - name: main
                                              image: localhost/box:1
                                              command: [sh, -c, 'echo main >>/notes/order; cat /notes/order; echo ---; [ $(grep -c main /notes/order) = 3 ]']
                                              volumeMounts: [{name: notes, mountPath: /notes}]
                                            - name: good
                                              image: localhost/box:1
                                              command: ["true"]
                                        ---
                                        apiVersion: v1
                                        kind: Pod
                                        metadata: {name: never}
                                        spec:
                                          restartPolicy: Never
                                          containers:
                                            - {name: good, image: "localhost/box:1", command: ["true"]}
                                            - {name: bad, image: "localhost/box:1", command: [sh, -c, exit 7]}
                                        """)
                                .toString())
                .expect(0);
        node.detached(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: always}
                spec:
                  terminationGracePeriodSeconds: 1
                  containers:
                    - {name: brief, image: "localhost/box:1", command: [echo, again]}
                """);
        node.detached(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: unprepared}
                spec:
                  restartPolicy: Never
                  initContainers:
                    - {name: prepare, image: "localhost/box:1", command: [sh, -c, exit 9]}
                  containers:
                    - {name: main, image: "localhost/box:1", command: [echo, never]}
                """);
    }

    @Test
    void onFailureRestartsWhatFailsUntilItSucceeds() throws Exception {
        node.podvm("wait", "third-time").expect(0);
        assertThat(node.inspect("third-time").path("phase").asString()).isEqualTo("Succeeded");
        var main = node.container("third-time", "main");
        assertThat(main.path("restarts").asInt()).isEqualTo(2);
        assertThat(main.path("lastReason").asString()).isEqualTo("Error");
        assertThat(node.container("third-time", "good").path("restarts").asInt()).isZero();
    }

    @Test
    void initContainersRunInOrderEachToItsSuccess() throws Exception {
        node.podvm("wait", "third-time").expect(0);
        assertThat(node.container("third-time", "second").path("restarts").asInt()).isEqualTo(1);
        assertThat(node.podvm("logs", "-c", "main", "third-time").expect(0).out())
                .startsWith("first\nsecond\nsecond\nmain\n---\n");
    }

    @Test
    void theLogHoldsAllAttemptsInOrder() throws Exception {
        node.podvm("wait", "third-time").expect(0);
        assertThat(node.podvm("logs", "-c", "main", "third-time").expect(0).lines())
                .filteredOn("---"::equals)
                .hasSize(3);
    }

    @Test
    void neverLeavesAFailedContainerAndItsCodeIsThePods() throws Exception {
        node.podvm("wait", "never").expect(7);
        assertThat(node.inspect("never").path("phase").asString()).isEqualTo("Failed");
        assertThat(node.container("never", "bad").path("restarts").asInt()).isZero();
        assertThat(node.container("never", "good").path("exitCode").asInt()).isZero();
    }

    @Test
    void alwaysRestartsWhatSucceedsAndBacksOff() throws Exception {
        Wait.until(
                "brief was restarted three times",
                () -> node.container("always", "brief").path("restarts").asInt() >= 3);
        Wait.until(
                "brief waits for its next restart",
                () ->
                        node.container("always", "brief")
                                .path("reason")
                                .asString()
                                .equals("CrashLoopBackOff"));
        node.podvm("stop", "always").expect(0);
    }

    @Test
    void aFailedInitContainerUnderNeverFailsThePodAndNothingElseRuns() throws Exception {
        node.podvm("wait", "unprepared").expect(9);
        var pod = node.inspect("unprepared");
        assertThat(pod.path("reason").asString()).isEqualTo("InitContainerFailed");
        assertThat(node.podvm("logs", "-c", "main", "unprepared").expect(0).out()).isEmpty();
    }
}
