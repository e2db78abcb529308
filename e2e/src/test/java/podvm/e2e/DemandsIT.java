package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Large pages for containers, and CPUs of the node for their machines. */
class DemandsIT {
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

    @AfterAll
    static void logsGo() throws Exception {
        for (var name : List.of("one", "other", "main", "plain")) {
            Files.deleteIfExists(node.base().resolve("tmp/" + name + ".log"));
        }
    }

    private static String container(String pod, String name, String resources) throws Exception {
        return crictl.container(
                pod,
                "demands",
                name,
                "exec sleep 1000",
                ", \"linux\": {\"resources\": {%s}}".formatted(resources));
    }

    /** Of all threads of the one machine that runs. */
    private static Set<String> cpusOfMachine() throws IOException {
        var pid = node.machines().getFirst();
        var all = new TreeSet<String>();
        try (var tasks = Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
            for (var task : tasks) {
                Host.read(task.resolve("status"))
                        .orElse("")
                        .lines()
                        .filter(line -> line.startsWith("Cpus_allowed_list:"))
                        .forEach(line -> all.add(line.replaceAll(".*\\s", "")));
            }
        }
        return all;
    }

    @Test
    void aMachineRunsOnTheCpusThatItsContainersWereGiven() throws Exception {
        int cpus = Runtime.getRuntime().availableProcessors();
        if (cpus < 2) {
            System.out.println("skipped: this node has one CPU");
        }
        assumeTrue(cpus >= 2, "this node has one CPU");
        var pod = crictl.sandbox("demands");
        var anywhere = cpusOfMachine();
        var one = container(pod, "one", "\"cpuset_cpus\": \"1\"");
        assertThat(cpusOfMachine()).containsExactly("1");
        var other = container(pod, "other", "\"cpuset_cpus\": \"0\"");
        assertThat(cpusOfMachine()).containsExactly("0-1");

        crictl.out("update", "--cpuset-cpus", "0", one);
        assertThat(cpusOfMachine()).containsExactly("0");

        node.killDaemon();
        node.startDaemon();
        for (var id : List.of(one, other)) {
            crictl.out("stop", "--timeout", "0", id);
            crictl.out("rm", id);
        }
        assertThat(cpusOfMachine()).isEqualTo(anywhere);
    }

    @Test
    void cpusThatTheNodeLacksAreRefusedByName() throws Exception {
        var pod = crictl.sandbox("demands");
        var config =
                crictl.file(
                        """
                        {"metadata": {"name": "one"}, "image": {"image": "localhost/box:1"},
                         "command": ["true"], "linux": {"resources": {"cpuset_cpus": "4000"}}}
                        """);
        var create = crictl.run("create", pod, config, crictl.sandboxFile("demands"));
        assertThat(create.exit()).isNotZero();
        assertThat(create.err()).contains("CPU 4000", "this node has");
    }

    @Test
    void aContainerHasTheLargePagesThatItAskedForAndNoMore() throws Exception {
        var pod = crictl.sandbox("demands");
        var plain =
                container(
                        pod,
                        "plain",
                        "\"hugepage_limits\": [{\"page_size\": \"2MB\"}, {\"page_size\": \"1GB\"}]");
        assertThat(reserved(plain)).isEqualTo("0");

        var main =
                container(
                        pod,
                        "main",
                        "\"hugepage_limits\": [{\"page_size\": \"2MB\", \"limit\": %d}]"
                                .formatted(16 << 20));
        assertThat(reserved(main)).isEqualTo("8");
        var limits = "cat /sys/fs/cgroup/hugetlb.2MB.max /sys/fs/cgroup/hugetlb.2MB.rsvd.max";
        assertThat(in(main, limits)).isEqualTo("16777216\n16777216");
        assertThat(in(plain, limits)).isEqualTo("0\n0");
        if (Box.hasProbe()) {
            assertThat(in(main, "probe huge 16; probe huge 18")).isEqualTo("ok\nENOMEM");
            assertThat(in(plain, "probe huge 2")).isEqualTo("ENOMEM");
        } else {
            System.out.println("left out: no C compiler for a program that maps large pages");
        }

        crictl.out("stop", "--timeout", "0", main);
        crictl.out("rm", main);
        assertThat(reserved(plain)).isEqualTo("0");
    }

    private static String reserved(String container) throws Exception {
        return in(container, "grep HugePages_Total /proc/meminfo").replaceAll("\\D", "");
    }

    private static String in(String container, String script) throws Exception {
        return crictl.out("exec", "--sync", container, "sh", "-c", script);
    }

    /** Of a manifest: its volume is memory of the machine, page by page. */
    @Test
    void aVolumeOfLargePagesIsBackedByThem() throws Exception {
        var outcome =
                node.run(
                        """
                        apiVersion: v1
                        kind: Pod
                        metadata: {name: pages}
                        spec:
                          restartPolicy: Never
                          volumes: [{name: huge, emptyDir: {medium: HugePages}}]
                          containers:
                          - name: main
                            image: localhost/box:1
                            command:
                            - sh
                            - -c
                            - |
                              fallocate -l 4194304 /huge/file && grep HugePages_Free /proc/meminfo
                              fallocate -l 20971520 /huge/more && echo too much
                              mount | grep -c 'on /huge type hugetlbfs.*pagesize=2M'
                              rm /huge/*
                            resources: {limits: {memory: 64Mi, hugepages-2Mi: 8Mi}}
                            volumeMounts: [{name: huge, mountPath: /huge}]
                        """);
        assertThat(outcome.out().replace(" ", "")).contains("HugePages_Free:2\n1\n");
        assertThat(outcome.out()).doesNotContain("too much");
    }
}
