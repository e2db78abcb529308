package podvm.node.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import podvm.engine.ContainerSpec;
import podvm.engine.ContainerSpec.EnvSpec;
import podvm.engine.NetworkRequest.PortMapping;
import podvm.engine.PodException;
import podvm.engine.PodSpec;
import podvm.engine.PullPolicy;
import podvm.engine.VolumeSpec;

class ManifestTest {
    static final String HELLO =
            """
            apiVersion: v1
            kind: Pod
            metadata:
              name: hello
              labels: {app: hello}
            spec:
              restartPolicy: Never
              containers:
                - name: main
                  image: busybox:1.36
                  command: ["sh", "-c", "echo $(GREETING)"]
                  env:
                    - name: GREETING
                      value: hello
            """;

    static List<PodSpec> parse(String text) throws PodException {
        return Manifest.parse(text.getBytes(UTF_8), "pod.yaml");
    }

    static PodSpec one(String text) throws PodException {
        return parse(text).getFirst();
    }

    static List<Problem> problems(String text) {
        var refusal = catchThrowableOfType(PodException.class, () -> parse(text));
        assertThat(refusal).as(text).isNotNull();
        assertThat(refusal.kind()).isEqualTo(PodException.Kind.INVALID);
        return ((ManifestProblems) refusal.getCause()).list();
    }

    /** The lines of a pod's spec, indented by two, behind the name "p". */
    static String pod(String spec) {
        return "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n" + spec.indent(2);
    }

    /** The fields of a single container, behind name and image. */
    static String container(String fields) {
        return pod("containers:\n- name: c\n  image: i:1\n" + fields.indent(2));
    }

    private static ContainerSpec onlyContainer(String fields) throws PodException {
        return one(container(fields)).containers().getFirst();
    }

    private static String sole(String text) {
        var problems = problems(text);
        assertThat(problems).hasSize(1);
        var problem = problems.getFirst();
        return problem.line() + " " + problem.field() + ": " + problem.message();
    }

    @Test
    void aSimplePodHasTheDefaultsOfKubernetes() throws PodException {
        var pod = one(HELLO);
        assertThat(pod.namespace()).isEqualTo("default");
        assertThat(pod.name()).isEqualTo("hello");
        assertThat(pod.hostname()).isEqualTo("hello");
        assertThat(pod.labels()).containsEntry("app", "hello");
        assertThat(pod.restartPolicy()).isEqualTo(PodSpec.RestartPolicy.NEVER);
        assertThat(pod.terminationGrace()).isEqualTo(Duration.ofSeconds(30));
        var container = pod.containers().getFirst();
        assertThat(container.command()).contains(List.of("sh", "-c", "echo $(GREETING)"));
        assertThat(container.args()).isEmpty();
        assertThat(container.pullPolicy()).isEqualTo(PullPolicy.IF_NOT_PRESENT);
        assertThat(container.env()).containsExactly(new EnvSpec.Text("GREETING", "hello"));
        assertThat(container.security().allowPrivilegeEscalation()).isTrue();
        assertThat(one(container("")).restartPolicy()).isEqualTo(PodSpec.RestartPolicy.ALWAYS);
    }

    @Test
    void whatKubectlWritesByItselfIsAccepted() throws PodException {
        var pod =
                one(
                        """
                        apiVersion: v1
                        kind: Pod
                        metadata:
                          creationTimestamp: null
                          labels:
                            run: web
                          name: web
                        spec:
                          containers:
                          - image: nginx
                            name: web
                            ports:
                            - containerPort: 80
                            resources: {}
                          dnsPolicy: ClusterFirst
                          restartPolicy: Always
                        status: {}
                        """);
        assertThat(pod.containers().getFirst().pullPolicy()).isEqualTo(PullPolicy.ALWAYS);
    }

    @Test
    void jsonIsReadWithTabsToo() throws PodException {
        var json =
                "{\n\t\"apiVersion\": \"v1\", \"kind\": \"Pod\",\n\t\"metadata\": {\"name\": \"p\"},"
                        + "\n\t\"spec\": {\"containers\": [{\"name\": \"c\",\t\"image\": \"i\"}]}}\n";
        assertThat(one(json).name()).isEqualTo("p");
        assertThat(problems(json.replace("\"image\"", "\"imgae\"")))
                .extracting(Problem::line, Problem::field)
                .contains(org.assertj.core.groups.Tuple.tuple(4, "spec.containers[0].imgae"));
    }

    @Test
    void everyProblemIsToldWithItsLine() {
        var problems =
                problems(
                        """
                        apiVersion: v1
                        kind: Pod
                        metadata:
                          name: Bad_Name
                        spec:
                          contaners: []
                          affinity: {}
                          containers:
                            - name: c
                              image: 5
                              command: echo
                        """);
        assertThat(problems)
                .extracting(p -> p.line() + ":" + p.column() + " " + p.field())
                .containsExactly(
                        "4:9 metadata.name",
                        "6:3 spec.contaners",
                        "7:3 spec.affinity",
                        "10:14 spec.containers[0].image",
                        "11:16 spec.containers[0].command");
        assertThat(problems.get(1).message()).isEqualTo("unknown field, did you mean containers?");
        assertThat(problems.get(2).message()).startsWith("not honoured by podvm run: ");
        assertThat(problems.get(3).message())
                .isEqualTo("must be a text, not a number; put it in quotes");
    }

    @Test
    void brokenYamlIsToldByLineAndColumn() {
        var problem = problems("a: b\nc: [1, 2\nd: e\n").getFirst();
        assertThat(problem.line()).isEqualTo(3);
        assertThat(problem.message()).startsWith("it cannot be read as YAML: ");
        assertThat(problems("kind: \u0007\n").getFirst().message())
                .isEqualTo("it has a character that YAML forbids: U+0007");
    }

    @Test
    void anEmptyManifestIsRefused() {
        assertThat(sole("")).contains("it is empty");
        assertThat(sole("---\n---\n")).contains("it is empty");
        assertThat(sole("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"))
                .contains("it has no Pod");
    }

    @Test
    void otherKindsAreRefusedByName() {
        assertThat(problems("apiVersion: apps/v1\nkind: Deployment\n").getFirst().message())
                .contains("not Deployment of apps/v1");
        assertThat(problems("apiVersion: v1\nkind: pod\n").getFirst().message())
                .endsWith("did you mean Pod?");
    }

    @Test
    void twoContainersOfOneNameAreToldWithBothLines() {
        assertThat(
                        sole(
                                pod(
                                        """
                                        initContainers:
                                        - {name: c, image: i}
                                        containers:
                                        - {name: c, image: i}
                                        """)))
                .isEqualTo(
                        "8 spec.containers[0].name: there are two containers named c, in lines 6"
                                + " and 8");
    }

    @Test
    void aFieldGivenTwiceIsRefused() {
        assertThat(sole(container("image: j")))
                .isEqualTo("8 spec.containers[0].image: is given twice, first in line 7");
    }

    @Test
    void theEnvironmentIsEnvFromThenEnv() throws PodException {
        var pod =
                one(
                        container(
                                        """
                                        env:
                                        - {name: A, value: "1"}
                                        - {name: B, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
                                        - name: C
                                          valueFrom: {resourceFieldRef: {resource: limits.cpu}}
                                        - name: D
                                          valueFrom:
                                            resourceFieldRef: {resource: limits.memory, divisor: 1Mi}
                                        - name: E
                                          valueFrom: {secretKeyRef: {name: s, key: password}}
                                        - name: F
                                          valueFrom: {configMapKeyRef: {name: no, key: x, optional: true}}
                                        envFrom:
                                        - configMapRef: {name: m}
                                          prefix: M_
                                        """)
                                + """
                                ---
                                apiVersion: v1
                                kind: ConfigMap
                                metadata: {name: m}
                                data: {k: $(A)}
                                ---
                                apiVersion: v1
                                kind: Secret
                                metadata: {name: s}
                                data: {password: b2xk}
                                stringData: {password: new}
                                """);
        assertThat(pod.containers().getFirst().env())
                .containsExactly(
                        new EnvSpec.Verbatim("M_k", "$(A)"),
                        new EnvSpec.Text("A", "1"),
                        new EnvSpec.Field("B", "status.podIP"),
                        new EnvSpec.Resource("C", "c", "limits.cpu", 1000),
                        new EnvSpec.Resource("D", "c", "limits.memory", 1 << 20),
                        new EnvSpec.Verbatim("E", "new"));
    }

    @Test
    void aMissingConfigMapOrKeyIsRefused() {
        assertThat(sole(container("envFrom: [{configMapRef: {name: m}}]")))
                .contains("there is no ConfigMap m in namespace default of this manifest");
        assertThat(
                        sole(
                                container(
                                                """
                                                env:
                                                - name: A
                                                  valueFrom: {configMapKeyRef: {name: m, key: colour}}
                                                """)
                                        + """
                                        ---
                                        {apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {color: red}}
                                        """))
                .endsWith("the ConfigMap has no key colour, did you mean color?");
    }

    @Test
    void volumesOfFilesTakeKeysPathsAndModes() throws PodException {
        var pod =
                one(
                        pod(
                                        """
                                        volumes:
                                        - name: all
                                          configMap: {name: m}
                                        - name: some
                                          configMap:
                                            name: m
                                            defaultMode: 0600
                                            items: [{key: b, path: dir/file}, {key: a, path: a, mode: 0400}]
                                        - name: none
                                          secret: {secretName: s, optional: true}
                                        - name: disk
                                          emptyDir: {}
                                        - name: memory
                                          emptyDir: {medium: Memory, sizeLimit: 64Mi}
                                        containers:
                                        - name: c
                                          image: i
                                          volumeMounts:
                                          - {name: all, mountPath: /etc/m/, readOnly: true}
                                          - {name: some, mountPath: /etc/a, subPath: dir/file}
                                        """)
                                + """
                                ---
                                apiVersion: v1
                                kind: ConfigMap
                                metadata: {name: m}
                                data: {a: text}
                                binaryData: {b: AAE=}
                                """);
        var all = (VolumeSpec.Files) pod.volumes().get("all");
        assertThat(all.files())
                .extracting(f -> f.path() + " " + Integer.toOctalString(f.mode()))
                .containsExactly("a 644", "b 644");
        assertThat(all.files().get(1).content()).containsExactly(0, 1);
        assertThat(((VolumeSpec.Files) pod.volumes().get("some")).files())
                .extracting(f -> f.path() + " " + Integer.toOctalString(f.mode()))
                .containsExactly("dir/file 600", "a 400");
        assertThat(pod.volumes().get("none")).isEqualTo(new VolumeSpec.Files(List.of()));
        assertThat(pod.volumes().get("disk")).isEqualTo(new VolumeSpec.EmptyDir());
        assertThat(pod.volumes().get("memory")).isEqualTo(new VolumeSpec.Memory(64 << 20));
        assertThat(pod.containers().getFirst().mounts())
                .containsExactly(
                        new ContainerSpec.MountSpec("all", "/etc/m", true, ""),
                        new ContainerSpec.MountSpec("some", "/etc/a", false, "dir/file"));
    }

    @Test
    void volumesThatCannotBeAreRefused() {
        assertThat(
                        sole(
                                pod(
                                        "volumes: [{name: v, hostPath: {path: /}}]\ncontainers: [{name: c, image: i}]")))
                .startsWith("5 spec.volumes[0].hostPath: not honoured by podvm run: ");
        assertThat(
                        sole(
                                pod(
                                        "volumes: [{name: v, emptyDir: {sizeLimit: 1Gi}}]\ncontainers: [{name: c, image: i}]")))
                .contains("a directory on disk has no limit of its own");
        assertThat(sole(pod("volumes: [{name: v}]\ncontainers: [{name: c, image: i}]")))
                .contains("needs a source");
        assertThat(sole(container("volumeMounts: [{name: x, mountPath: /x}]")))
                .contains("the pod has no volume x");
    }

    @Test
    void aSubPathMayNotLeaveItsVolume() {
        assertThat(
                        sole(
                                pod(
                                        """
                                        volumes: [{name: v, emptyDir: {}}]
                                        containers:
                                        - name: c
                                          image: i
                                          volumeMounts: [{name: v, mountPath: /v, subPath: a/../../b}]
                                        """)))
                .contains("subPath must be relative and without ..");
    }

    @Test
    void requestsDefaultToLimits() throws PodException {
        var resources =
                onlyContainer("resources: {limits: {cpu: 1.5, memory: 1G}, requests: {cpu: 250m}}")
                        .resources();
        assertThat(resources)
                .isEqualTo(
                        new ContainerSpec.Resources(
                                Optional.of(1500L),
                                Optional.of(250L),
                                Optional.of(1_000_000_000L),
                                Optional.of(1_000_000_000L),
                                Map.of()));
    }

    private static final String PAGES =
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: pages}
            spec:
              volumes:
              - {name: huge, emptyDir: {medium: HugePages}}
              - {name: named, emptyDir: {medium: HugePages-1Gi}}
              containers:
              - name: main
                image: box
                resources: {limits: {memory: 64Mi, hugepages-2Mi: 8Mi}%s}
            """;

    @Test
    void largePagesAreCountedByTheirSizeAndVolumesOfThemFollow() throws Exception {
        var pod = one(PAGES.formatted(""));

        assertThat(pod.containers().getFirst().resources().hugepages())
                .isEqualTo(Map.of("2MB", 8L << 20));
        assertThat(pod.volumes().get("huge")).isEqualTo(new VolumeSpec.Hugepages(2 << 20));
        assertThat(pod.volumes().get("named")).isEqualTo(new VolumeSpec.Hugepages(1 << 30));
    }

    @Test
    void largePagesThatContradictThemselvesAreRefused() {
        var other = PAGES.formatted(", requests: {hugepages-2Mi: 4Mi}");
        assertThat(problems(other).toString()).contains("must be the same");
        var small = PAGES.formatted(", requests: {hugepages-4Ki: 4Ki}");
        assertThat(problems(small).toString()).contains("2Mi and 1Gi");
        var parts = PAGES.formatted("").replace("8Mi", "7Mi");
        assertThat(problems(parts).toString()).contains("whole pages");
        var none = PAGES.formatted("").replace("hugepages-2Mi: 8Mi", "");
        assertThat(problems(none).toString()).contains("one size");
    }

    @Test
    void resourcesThatCannotBeHonouredAreRefused() {
        assertThat(sole(container("resources: {limits: {nvidia.com/gpu: 1}}")))
                .contains("resources.limits[nvidia.com/gpu]: not honoured by podvm run");
        assertThat(sole(container("resources: {limits: {cpu: 1}, requests: {cpu: 2}}")))
                .contains("must not be more than the limit");
        assertThat(sole(container("resources: {limits: {memory: 100m}}")))
                .contains("must be a whole number of bytes such as 128Mi, not 100m");
        assertThat(sole(container("resources: {limits: {memory: 1GB}}")))
                .contains("is no quantity");
    }

    @Test
    void theContainersSecurityGoesBeforeThePods() throws PodException {
        var pod =
                one(
                        pod(
                                """
                                securityContext:
                                  runAsUser: 1000
                                  runAsNonRoot: true
                                  supplementalGroups: [5]
                                  seccompProfile: {type: Unconfined}
                                containers:
                                - name: a
                                  image: i
                                - name: b
                                  image: i
                                  securityContext:
                                    runAsUser: 2000
                                    capabilities: {add: [CAP_NET_ADMIN], drop: [ALL]}
                                    seccompProfile: {type: RuntimeDefault}
                                    allowPrivilegeEscalation: false
                                """));
        var first = pod.containers().get(0).security();
        var second = pod.containers().get(1).security();
        assertThat(first.runAsUser()).contains(1000);
        assertThat(first.seccompUnconfined()).isTrue();
        assertThat(second.runAsUser()).contains(2000);
        assertThat(second.runAsNonRoot()).isTrue();
        assertThat(second.supplementalGroups()).containsExactly(5);
        assertThat(second.seccompUnconfined()).isFalse();
        assertThat(second.addCapabilities()).containsExactly("NET_ADMIN");
        assertThat(second.dropCapabilities()).containsExactly("ALL");
        assertThat(second.allowPrivilegeEscalation()).isFalse();
    }

    @Test
    void portsOfTheNodeAreReadForAllContainers() throws PodException {
        var pod =
                one(
                        pod(
                                """
                                containers:
                                - name: a
                                  image: i
                                  ports: [{containerPort: 80, hostPort: 8080}, {containerPort: 81}]
                                - name: b
                                  image: i
                                  ports:
                                  - {containerPort: 53, hostPort: 53, protocol: UDP, hostIP: "::1"}
                                """));
        assertThat(pod.ports())
                .containsExactly(
                        new PortMapping(PortMapping.Protocol.TCP, 80, 8080, ""),
                        new PortMapping(PortMapping.Protocol.UDP, 53, 53, "::1"));
    }

    @Test
    void whatIsNotHonouredYetIsRefusedByName() {
        for (var fields :
                List.of(
                        "livenessProbe: {exec: {command: [true]}}",
                        "lifecycle: {preStop: {}}",
                        "securityContext: {seLinuxOptions: {}}",
                        "volumeDevices: []",
                        "restartPolicy: Always")) {
            assertThat(sole(container(fields))).contains("not honoured by podvm run");
        }
        assertThat(sole(pod("hostNetwork: true\ncontainers: [{name: c, image: i}]")))
                .startsWith("5 spec.hostNetwork: not honoured by podvm run");
    }

    @Test
    void defaultsThatMeanNothingHereAreAccepted() throws PodException {
        one(
                pod(
                        """
                        dnsPolicy: ClusterFirst
                        schedulerName: default-scheduler
                        serviceAccountName: default
                        automountServiceAccountToken: false
                        enableServiceLinks: true
                        hostNetwork: false
                        os: {name: linux}
                        containers:
                        - name: c
                          image: i
                          terminationMessagePath: /dev/termination-log
                          terminationMessagePolicy: File
                        """));
    }

    @Test
    void aGeneratedNameGetsFiveLetters() throws PodException {
        var pod = one(HELLO.replace("name: hello\n  labels", "generateName: job-\n  labels"));
        assertThat(pod.name()).matches("job-[a-z0-9]{5}");
    }

    @Test
    void twoPodsOfOneNameAreRefused() {
        assertThat(sole(HELLO + "---\n" + HELLO))
                .isEqualTo("16 : Pod default/hello is there twice, first in line 1");
    }

    @Test
    void deepNestingAndEndlessAliasesAreRefused() {
        assertThat(sole("[".repeat(1_000_000))).contains("levels deep");
        assertThat(sole("{a: ".repeat(1_000_000))).contains("levels deep");
        assertThat(problems("a: &a [*a]\n")).isNotEmpty();
        assertThat(problems("apiVersion: v1\nkind: Pod\nmetadata: &m {labels: *m}\n")).isNotEmpty();
    }

    @Test
    void aliasesThatMultiplyAreCounted() {
        var env = "{name: a, value: b},".repeat(40_000);
        var containers = "*c,".repeat(40);
        var text =
                "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  initContainers:\n"
                        + "  - &c {name: c, image: i, env: ["
                        + env
                        + "]}\n  containers: ["
                        + containers
                        + "]\n";
        assertThat(sole(text)).contains("once its aliases are followed");
    }

    @Test
    void bytesThatAreNotTextAreRefused() {
        var refusal =
                catchThrowableOfType(
                        PodException.class,
                        () -> Manifest.parse(new byte[] {(byte) 0xff, 0x00}, "x"));
        assertThat(refusal).hasMessage("manifest x has 1 problem");
        var large =
                catchThrowableOfType(
                        PodException.class, () -> Manifest.parse(new byte[(4 << 20) + 1], "x"));
        assertThat(large.getCause()).hasMessageContaining("larger than 4 MiB");
    }
}
