package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ManifestsIT {
    @RegisterExtension static final Node node = Node.ordinary();

    @Test
    void theExampleOfTheReadmeGreets() throws Exception {
        node.podvm("image", "import", "--name", "localhost/busybox:stable", Box.rootfs().toString())
                .expect(0);

        var greeting =
                node.podvm("run", System.getProperty("podvm.examples") + "/hello.yaml").expect(0);

        assertThat(greeting.out())
                .containsPattern("Hello from hello, a pod .* with Linux [0-9]+\\.");
        assertThat(greeting.out())
                .doesNotContain(
                        "Linux " + Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip());
    }

    @Test
    void jsonOnStandardInputRunsLikeYaml() throws Exception {
        var manifest =
                """
                {"apiVersion": "v1", "kind": "Pod",
                 "metadata": {"name": "json"},
                 "spec": {
                \t"restartPolicy": "Never",
                \t"containers": [{"name": "main", "image": "localhost/box:1", "command": ["echo", "from", "json"]}]}}
                """;

        var ended = node.podvmReading(manifest, "run", "-").expect(0);

        assertThat(ended.out()).isEqualTo("from json\n");
    }

    @Test
    void documentsInAnyOrderMakePodsAndTheConfigurationTheyUse() throws Exception {
        var ended =
                node.podvm(
                                "run",
                                node.manifest(
                                                """
                                                apiVersion: v1
                                                kind: Pod
                                                metadata: {name: first}
                                                spec:
                                                  restartPolicy: Never
                                                  containers:
                                                    - name: a
                                                      image: localhost/box:1
                                                      command: [sh, -c, 'echo "$GREETING to $WHOM"']
                                                      envFrom: [{configMapRef: {name: words}}]
                                                      env:
                                                        - name: WHOM
                                                          valueFrom: {secretKeyRef: {name: people, key: whom}}
                                                ---
                                                apiVersion: v1
                                                kind: ConfigMap
                                                metadata: {name: words}
                                                data: {GREETING: good morning}
                                                ---
                                                apiVersion: v1
                                                kind: Secret
                                                metadata: {name: people}
                                                data: {whom: YWxs}
                                                ---
                                                apiVersion: v1
                                                kind: Pod
                                                metadata: {name: second}
                                                spec:
                                                  restartPolicy: Never
                                                  containers:
                                                    - name: b
                                                      image: localhost/box:1
                                                      command: [echo, done]
                                                """)
                                        .toString())
                        .expect(0);

        assertThat(ended.lines())
                .anyMatch(line -> line.contains("| good morning to all"))
                .anyMatch(line -> line.contains("| done"));
    }

    @Test
    void allThatIsWrongIsToldAtOnceByFieldAndLine() throws Exception {
        var refused =
                node.run(
                                """
                                apiVersion: v1
                                kind: Pod
                                metadata:
                                  name: wrong
                                spec:
                                  affinity: {}
                                  contaners: []
                                  containers:
                                    - name: main
                                      image: localhost/box:1
                                      livenessProbe: {exec: {command: ["true"]}}
                                      volumeMounts:
                                        - {name: nowhere, mountPath: /x}
                                ---
                                apiVersion: apps/v1
                                kind: Deployment
                                metadata: {name: other}
                                """)
                        .expect(125);

        assertThat(refused.err())
                .containsPattern("6\\b.*spec\\.affinity.*not honoured")
                .containsPattern("7\\b.*spec\\.contaners.*unknown field.*containers")
                .containsPattern("11\\b.*spec\\.containers\\[0\\]\\.livenessProbe.*not honoured")
                .containsPattern("13\\b.*spec\\.containers\\[0\\]\\.volumeMounts\\[0\\].*nowhere")
                .containsPattern("16\\b.*kind.*Deployment");
        assertThat(node.podvm("ps", "-a", "-o", "json").expect(0).out()).doesNotContain("wrong");
    }
}
