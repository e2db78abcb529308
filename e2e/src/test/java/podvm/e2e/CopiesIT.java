package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pods whose machines did not boot: they are copies of one that did. */
class CopiesIT {
    private static final int COPIES = 6;

    @RegisterExtension static final Node node = Node.with("machine.templates=2");

    @BeforeAll
    static void thereIsATemplate() throws Exception {
        node.podvm("run", "--rm", manifest("first", "echo booted")).expect(0);
        Wait.until(
                "a template is made",
                () -> node.daemonLog().contains("event=TemplateMade"),
                node::daemonLog);
    }

    @AfterEach
    void noPodStays() throws Exception {
        node.removeAll();
    }

    private static String manifest(String name, String script) throws Exception {
        return node.manifest(
                        """
                        apiVersion: v1
                        kind: Pod
                        metadata: {name: %s}
                        spec:
                          restartPolicy: Never
                          terminationGracePeriodSeconds: 30
                          volumes:
                            - name: scratch
                              emptyDir: {}
                          containers:
                            - name: main
                              image: localhost/box:1
                              command: [sh, -c, '%s']
                              volumeMounts:
                                - {name: scratch, mountPath: /scratch}
                        """
                                .formatted(name, script))
                .toString();
    }

    private static List<String> stages(String pod) throws Exception {
        var names = new ArrayList<String>();
        node.inspect(pod).path("timeline").forEach(one -> names.add(one.path("name").asString()));
        return names;
    }

    @Test
    void aCopyDoesWhatAPodOfAMachineThatBootedDoes() throws Exception {
        var ended =
                node.podvm(
                        "run",
                        manifest(
                                "copy",
                                "hostname; echo kept > /scratch/file; cat /scratch/file; exit 7"));
        assertThat(ended.expect(7).lines()).containsExactly("copy", "kept");
        assertThat(stages("copy"))
                .contains("machine.cloned", "sandbox.configured")
                .doesNotContain("machine.started");
    }

    /** What a kernel and programs make of their random state, and what names a machine. */
    @Test
    void noTwoCopiesHaveTheSameRandomNumbers() throws Exception {
        var script =
                "head -c 16 /dev/urandom | hexdump -v -e \"1/1 \\\"%02x\\\"\"; echo;"
                        + " cat /proc/sys/kernel/random/uuid /proc/sys/kernel/random/boot_id";
        var seen = new ArrayList<String>();
        for (int i = 0; i < COPIES; i++) {
            var lines = node.podvm("run", manifest("copy-" + i, script)).expect(0).lines();
            assertThat(lines).hasSize(3);
            assertThat(lines.getFirst()).matches("[0-9a-f]{32}");
            seen.addAll(lines);
            assertThat(stages("copy-" + i)).contains("machine.cloned");
        }
        assertThat(new HashSet<>(seen)).hasSameSizeAs(seen);
    }

    @Test
    void theClockOfACopyIsTheNodes() throws Exception {
        long before = System.currentTimeMillis() / 1000;
        var told = node.podvm("run", manifest("clock", "date +%s")).expect(0).lines().getFirst();
        assertThat(Long.parseLong(told)).isBetween(before, System.currentTimeMillis() / 1000 + 1);
    }

    @Test
    void templatesAreListedRemovedAndMadeAnew() throws Exception {
        node.podvm("run", "--rm", manifest("counted", "true")).expect(0);
        var listed = node.podvm("template", "ls", "-o", "json").expect(0).json();
        assertThat(listed).hasSize(1);
        assertThat(listed.get(0).path("networks").toString()).isEqualTo("[\"user\"]");
        assertThat(listed.get(0).path("copies").asLong()).isPositive();
        assertThat(listed.get(0).path("bytes").asLong()).isGreaterThan(10 << 20);
        assertThat(node.podvm("template", "prune").expect(0).out()).isEqualTo("removed: 1\n");
        assertThat(node.podvm("template", "ls", "-o", "json").expect(0).json()).isEmpty();

        var made = node.podvm("template", "build", "-o", "json").expect(0).json();
        assertThat(made.path("memoryMib")).isEqualTo(listed.get(0).path("memoryMib"));
        node.podvm("run", manifest("anew", "true")).expect(0);
        assertThat(stages("anew")).contains("machine.cloned");
        assertThat(node.podvm("template", "build", "--memory-mib", "99999999").exit())
                .isEqualTo(125);
    }

    @Test
    void namespacesNeedNotShareAndTemplatesTakeNoMoreMemoryThanTheyMay() throws Exception {
        try (var strict =
                Node.with(
                                "machine.templates=4",
                                "machine.templates-mib=180",
                                "machine.template-sharing=namespace")
                        .opened()) {
            strict.podvm("template", "build", "--namespace", "other").expect(0);
            strict.podvm("run", manifest("mine", "true")).expect(0);
            var told = strict.inspect("mine").path("timeline").toString();
            assertThat(told).contains("machine.started").doesNotContain("machine.cloned");
            strict.podvm("template", "build", "--cpu-millis", "2000").expect(0);
            var kept = strict.podvm("template", "ls", "-o", "json").expect(0).json();
            assertThat(kept.toString()).contains("default").doesNotContain("other");
            long bytes = 0;
            for (var one : kept) {
                bytes += one.path("bytes").asLong();
            }
            assertThat(bytes).isBetween(1L, 180L << 20);
        }
    }

    @Test
    void theNextDaemonTakesUpACopy() throws Exception {
        var id =
                node.detached(
                        "apiVersion: v1\n"
                                + "kind: Pod\n"
                                + "metadata: {name: lasting}\n"
                                + "spec:\n"
                                + "  restartPolicy: Never\n"
                                + "  containers:\n"
                                + "    - name: main\n"
                                + "      image: localhost/box:1\n"
                                + "      command: [sh, -c, \"trap 'exit 0' TERM; while true; do"
                                + " usleep 50000; done\"]\n");
        node.awaitPhase(id, "Running");
        assertThat(stages(id)).contains("machine.cloned");
        var machine = node.machines();
        node.killDaemon();
        assertThat(node.shell("lasting", "main", "echo still here")).isEqualTo("still here\n");
        assertThat(node.machines()).isEqualTo(machine);
        node.podvm("stop", "lasting").expect(0);
        assertThat(node.machines()).isEmpty();
    }
}
