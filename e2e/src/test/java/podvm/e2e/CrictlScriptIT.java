package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;

/** What an operator types at a node, on one pod from its image to its end: the verbs of crictl. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class CrictlScriptIT {
    private static final String SCRIPT =
            "echo ready; httpd -p 127.0.0.1:7010 -h /etc;"
                    + " while read line; do echo heard $line; done; exec sleep 1000";

    @RegisterExtension static final Node node = Node.ofKubelet();

    private static Crictl crictl;
    private static Running events;
    private static String pod = "";
    private static String id = "";

    @BeforeAll
    static void aPodRuns() throws Exception {
        crictl = Crictl.of(node);
        events = node.startProgram(crictl.command("events"));
        pod = crictl.sandbox("script");
        id = crictl.container(pod, "script", "main", SCRIPT, ", \"stdin\": true");
    }

    @AfterAll
    static void nothingIsLeft() throws Exception {
        if (events != null) {
            events.close();
        }
        Files.deleteIfExists(node.base().resolve("tmp/main.log"));
    }

    private static JsonNode json(String... words) throws Exception {
        return crictl.run(words).expect(0).json();
    }

    @Test
    @Order(1)
    void theRuntimeTellsWhatItIs() throws Exception {
        assertThat(crictl.out("version")).contains("RuntimeName:  podvm", "RuntimeApiVersion:  v1");
        var info = json("info");
        for (var condition : info.path("status").path("conditions")) {
            assertThat(condition.path("status").asBoolean()).as(condition.toString()).isTrue();
        }
        assertThat(info.path("runtimeHandlers").toString()).contains("podvm");
        assertThat(crictl.out("runtime-config")).contains("cgroup driver:");
        assertThat(crictl.out("update-runtime-config", "--pod-cidr", "10.1.0.0/16")).isEmpty();
        assertThat(crictl.out("metricdescs")).contains("container_cpu_usage_seconds_total");
    }

    @Test
    @Order(2)
    void imagesComeAndGo() throws Exception {
        assumeTrue(Host.has("docker-registry"), "no docker-registry: setup/run test brings it");
        try (var registry = Registry.start(node.base().resolve("manifests/registry"))) {
            var layer = Box.layer();
            var config = ImageArchives.configuration("\"Cmd\":[\"sh\"]", "amd64", layer);
            registry.push("ops/tool", "7", config, layer);
            var name = registry.host() + "/ops/tool:7";

            assertThat(crictl.out("pull", name)).contains("Image is up to date for");

            var image = json("inspecti", name).path("status");
            assertThat(image.path("repoTags").toString()).contains(name);
            assertThat(Long.parseLong(image.path("size").asString("0"))).isPositive();
            assertThat(crictl.out("images")).contains("/ops/tool", "localhost/box");
            assertThat(crictl.out("images", "-q", name)).isNotEmpty();
            var files = json("imagefsinfo", "-o", "json").path("status").path("imageFilesystems");
            assertThat(files.path(0).path("usedBytes").path("value").asString("0"))
                    .isNotEqualTo("0");
            assertThat(crictl.out("rmi", name)).contains("Deleted: " + name);
            assertThat(crictl.run("inspecti", name).exit()).isNotZero();
            var missing = crictl.run("pull", registry.host() + "/ops/nothing:1");
            assertThat(missing.exit()).isNotZero();
            assertThat(missing.err()).contains("ops/nothing");
        }
    }

    @Test
    @Order(3)
    void listsAndInspectionsAgree() throws Exception {
        assertThat(crictl.out("pods")).contains(pod.substring(0, 13), "Ready", "script");
        assertThat(crictl.out("ps")).contains(id.substring(0, 13), "Running", "main");
        var sandbox = json("inspectp", pod).path("status");
        assertThat(sandbox.path("state").asString("")).isEqualTo("SANDBOX_READY");
        assertThat(sandbox.path("network").path("ip").asString("")).isNotEmpty();
        assertThat(sandbox.path("labels").path("app").asString("")).isEqualTo("script");
        var container = json("inspect", id).path("status");
        assertThat(container.path("state").asString("")).isEqualTo("CONTAINER_RUNNING");
        assertThat(container.path("image").path("image").asString("")).contains("localhost/box");
        assertThat(container.path("logPath").asString("")).endsWith("/main.log");
        assertThat(crictl.run("inspect", "0".repeat(64)).err()).contains("NotFound");
    }

    @Test
    @Order(4)
    void logsFollowWhatAnAttachedClientSays() throws Exception {
        try (var following = node.startProgram(crictl.command("logs", "-f", id))) {
            following.awaitOutput("ready");
            try (var attached = node.startProgram(crictl.command("attach", "-i", id))) {
                Wait.until(
                        "the attached client is heard",
                        () -> {
                            attached.type("one\n");
                            return attached.out().contains("heard one");
                        });
            }
            following.awaitOutput("heard one");
        }
        assertThat(crictl.out("logs", "--tail", "1", id)).isEqualTo("heard one");
    }

    @Test
    @Order(5)
    void executionsHaveStreamsTerminalsAndExitCodes() throws Exception {
        assertThat(crictl.out("exec", "-s", id, "sh", "-c", "echo out; cat /etc/hostname"))
                .contains("out", "script");
        assertThat(crictl.run("exec", "-s", id, "sh", "-c", "exit 3").exit()).isNotZero();
        assertThat(crictl.run("exec", "-s", "--timeout", "1", id, "sleep", "100").err())
                .contains("DeadlineExceeded");
        var words = crictl.command("exec", "-i", "-t", id, "sh");
        var line = "stty rows 29 cols 91; exec '%s'".formatted(String.join("' '", words));
        try (var shell = node.startProgram(List.of("script", "-qefc", line, "/dev/null"))) {
            shell.type("stty size; exit\n");
            shell.awaitOutput("29 91");
            shell.await().expect(0);
        }
        assertThat(crictl.run("exec", id, "no-such-program").err()).contains("no-such-program");
    }

    /** As a kubectl does whose node was switched off: the process may not stay. */
    @Test
    @Order(6)
    void aClientThatVanishesTakesItsProcessAlong() throws Exception {
        try (var vanishing = node.startProgram(crictl.command("exec", "-i", id, "cat"))) {
            vanishing.type("hello\n");
            vanishing.awaitOutput("hello");
            assertThat(processes()).contains("cat");
            vanishing.signal("KILL");
        }
        Wait.until("the process has gone", () -> !processes().contains("cat"));
        // one that does not read what it has asked for, and vanishes
        var stalling = "exec '%s' | sleep 1000";
        var words = crictl.command("exec", id, "dd", "if=/dev/zero", "bs=64k");
        var line = stalling.formatted(String.join("' '", words));
        try (var stalled = node.startProgram(List.of("setsid", "sh", "-c", line))) {
            Wait.until("it runs", () -> processes().contains("dd"));
            assertThat(crictl.out("exec", "-s", id, "echo", "others go on"))
                    .isEqualTo("others go on");
            Host.command("kill", "-KILL", "--", "-" + stalled.pid());
        }
        Wait.until("the process has gone", () -> !processes().contains("dd"));
    }

    private static List<String> processes() throws Exception {
        return crictl.out("exec", "-s", id, "sh", "-c", "cat /proc/[0-9]*/comm")
                .lines()
                .filter(name -> name.equals("dd") || name.equals("cat"))
                // the one that lists them
                .sorted()
                .skip(1)
                .toList();
    }

    @Test
    @Order(7)
    void aPortIsForwarded() throws Exception {
        try (var forward = node.startProgram(crictl.command("port-forward", pod, ":7010"))) {
            int port = LocalPort.all(forward, 1).getFirst();
            assertThat(LocalPort.page(port, "passwd")).contains("root:x:0:0");
        }
    }

    @Test
    @Order(8)
    void usageAndMetricsAreThoseOfThePod() throws Exception {
        assertThat(crictl.out("stats")).contains(id.substring(0, 13), "main");
        assertThat(crictl.out("statsp")).contains(pod.substring(0, 13), "script");
        var usage = json("stats", "-o", "json", "--id", id).path("stats").path(0);
        var memory = usage.path("memory").path("workingSetBytes").path("value").asString("0");
        assertThat(Long.parseLong(memory)).isPositive();
        var metrics = json("metricsp", "-o", "json").path("podMetrics");
        assertThat(metrics.size()).isEqualTo(1);
        assertThat(metrics.path(0).path("podSandboxId").asString("")).isEqualTo(pod);
        assertThat(metrics.toString()).contains("container_memory_working_set_bytes");
    }

    @Test
    @Order(9)
    void limitsAreChangedWhileItRuns() throws Exception {
        crictl.out("update", "--memory", Long.toString(96L << 20), "--cpu-share", "512", id);

        assertThat(crictl.out("exec", "-s", id, "cat", "/sys/fs/cgroup/memory.max"))
                .isEqualTo(Long.toString(96L << 20));
        var limits = json("inspect", id).path("status").path("resources").path("linux");
        assertThat(limits.path("memoryLimitInBytes").asString(""))
                .isEqualTo(Long.toString(96L << 20));
    }

    @Test
    @Order(10)
    void itEndsInOrderAndTheEventsTellIt() throws Exception {
        crictl.out("stop", "--timeout", "0", id);
        var ended = json("inspect", id).path("status");
        assertThat(ended.path("state").asString("")).isEqualTo("CONTAINER_EXITED");
        assertThat(ended.path("exitCode").asInt()).isEqualTo(137);
        assertThat(crictl.out("ps", "-a", "-q", "--no-trunc", "--state", "exited")).isEqualTo(id);
        crictl.out("stopp", pod);
        assertThat(json("inspectp", pod).path("status").path("state").asString(""))
                .isEqualTo("SANDBOX_NOTREADY");
        crictl.out("rmp", pod);
        assertThat(crictl.out("pods", "-q")).isEmpty();
        assertThat(crictl.out("ps", "-a", "-q")).isEmpty();
        var told = events.awaitOutput("CONTAINER_DELETED_EVENT");
        assertThat(told)
                .contains("CONTAINER_CREATED_EVENT")
                .contains("CONTAINER_STARTED_EVENT")
                .contains("CONTAINER_STOPPED_EVENT")
                .contains(id)
                .contains(pod);
    }
}
