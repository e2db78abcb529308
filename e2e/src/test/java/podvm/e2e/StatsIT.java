package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import tools.jackson.databind.JsonNode;

/**
 * One container that computes, one that keeps memory and one that writes, as crictl measures them.
 */
class StatsIT {
    private static final long MIB = 1 << 20;

    @RegisterExtension static final Node node = Node.ofKubelet();

    private static Crictl crictl;
    private static String pod;
    private static final Map<String, String> containers = new HashMap<>();

    @BeforeAll
    static void aPodRuns() throws Exception {
        crictl = Crictl.of(node);
        pod = crictl.sandbox("busy");
        run("burner", "while :; do :; done");
        // tmpfs is memory of the container that writes it
        run("keeper", "dd if=/dev/zero of=/dev/shm/kept bs=1M count=48; exec sleep 1000");
        run(
                "writer",
                "dd if=/dev/zero of=/written bs=1M count=8; sync; touch /1 /2; exec sleep 1000");
        run("idler", "exec sleep 1000");
        Wait.until(
                "there is something to measure",
                () ->
                        number(container("burner"), "cpu", "usageCoreNanoSeconds") > 500_000_000L
                                && number(container("keeper"), "memory", "usageBytes") > 48 * MIB
                                && number(container("writer"), "writableLayer", "usedBytes")
                                        >= 8 * MIB);
    }

    private static void run(String name, String script) throws Exception {
        containers.put(name, crictl.container(pod, "busy", name, script, ""));
    }

    @AfterAll
    static void nothingIsLeft() throws Exception {
        crictl.out("stopp", pod);
        crictl.out("rmp", pod);
        for (var name : containers.keySet()) {
            Files.deleteIfExists(node.base().resolve("tmp/" + name + ".log"));
        }
    }

    private static JsonNode json(String... words) throws Exception {
        return crictl.run(words).expect(0).json();
    }

    private static JsonNode container(String name) throws Exception {
        return json("stats", "-o", "json", "--id", containers.get(name)).path("stats").path(0);
    }

    /** crictl writes 64-bit numbers as texts. */
    private static long number(JsonNode stats, String part, String name) {
        return Long.parseLong(stats.path(part).path(name).path("value").asString("0"));
    }

    @Test
    void whoComputesAndWhoDoesNotAreToldApart() throws Exception {
        var burner = number(container("burner"), "cpu", "usageCoreNanoSeconds");
        var idler = number(container("idler"), "cpu", "usageCoreNanoSeconds");
        assertThat(burner).isGreaterThan(2 * idler);
        Wait.until(
                "the rate is that of most of a CPU",
                () -> number(container("burner"), "cpu", "usageNanoCores") > 400_000_000L);
    }

    @Test
    void whoKeepsMemoryAndWhoDoesNotAreToldApart() throws Exception {
        assertThat(number(container("keeper"), "memory", "workingSetBytes"))
                .isBetween(48 * MIB, 80 * MIB);
        assertThat(number(container("idler"), "memory", "workingSetBytes")).isBetween(1L, 16 * MIB);
    }

    @Test
    void whatAContainerWroteIsToldOfItAlone() throws Exception {
        var writer = container("writer");
        assertThat(number(writer, "writableLayer", "usedBytes")).isBetween(8 * MIB, 9 * MIB);
        assertThat(number(writer, "writableLayer", "inodesUsed")).isGreaterThanOrEqualTo(3);
        assertThat(writer.path("writableLayer").path("fsId").path("mountpoint").asString(""))
                .endsWith("/images");
        assertThat(number(container("idler"), "writableLayer", "usedBytes")).isLessThan(MIB);
    }

    @Test
    void aPodCostsMoreThanItsContainersTogether() throws Exception {
        var stats = json("statsp", "-o", "json", "--id", pod).path("stats").path(0).path("linux");
        long sumOfMemory = 0;
        var told = new HashSet<String>();
        for (var one : stats.path("containers")) {
            told.add(one.path("attributes").path("id").asString(""));
            sumOfMemory += number(one, "memory", "workingSetBytes");
        }
        assertThat(told).containsExactlyInAnyOrderElementsOf(containers.values());
        // not above the containers': a guest that the host lets wait counts that as its own time
        assertThat(number(stats, "cpu", "usageCoreNanoSeconds")).isPositive();
        assertThat(number(stats, "memory", "workingSetBytes")).isGreaterThan(sumOfMemory);
        assertThat(number(stats, "process", "processCount")).isGreaterThanOrEqualTo(4);
        assertThat(stats.path("network").path("defaultInterface").path("name").asString(""))
                .isEqualTo("eth0");
    }

    @Test
    void everyDescribedMetricHasASample() throws Exception {
        var described = new HashMap<String, Integer>();
        for (var one : json("metricdescs", "-o", "json").path("descriptors")) {
            described.put(one.path("name").asString(""), one.path("labelKeys").size());
        }
        Set<String> seen = new HashSet<>();
        for (var one : json("metricsp", "-o", "json").path("podMetrics")) {
            sample(one.path("metrics"), described, seen);
            for (var container : one.path("containerMetrics")) {
                sample(container.path("metrics"), described, seen);
            }
        }
        // nobody asked for a limit of CPU
        var missing = new HashSet<>(described.keySet());
        missing.removeAll(seen);
        assertThat(missing).isSubsetOf("container_spec_cpu_quota", "container_spec_cpu_shares");
        assertThat(described).hasSizeGreaterThan(50);
    }

    private static void sample(JsonNode metrics, Map<String, Integer> described, Set<String> seen) {
        for (var metric : metrics) {
            var name = metric.path("name").asString("");
            assertThat(metric.path("labelValues").size()).as(name).isEqualTo(described.get(name));
            seen.add(name);
        }
    }

    @Test
    void limitsThatAreChangedAreInForceAndToldByTheNextDaemonToo() throws Exception {
        var id = containers.get("idler");
        crictl.out(
                "update",
                "--cpu-quota",
                "20000",
                "--cpu-period",
                "50000",
                "--cpu-share",
                "512",
                "--memory",
                Long.toString(64 * MIB),
                id);
        var files = "cd /sys/fs/cgroup && cat cpu.max cpu.weight memory.max";
        assertThat(crictl.out("exec", "--sync", id, "sh", "-c", files).lines())
                .startsWith("20000 50000", "20", Long.toString(64 * MIB));

        node.killDaemon();
        node.startDaemon();

        var told = json("inspect", id).path("status").path("resources").path("linux");
        assertThat(told.path("cpuQuota").asString("")).isEqualTo("20000");
        assertThat(told.path("memoryLimitInBytes").asString("")).isEqualTo(Long.toString(64 * MIB));
        crictl.out("update", "--memory", Long.toString(80 * MIB), id);
        assertThat(number(container("idler"), "memory", "availableBytes")).isGreaterThan(64 * MIB);
    }

    @Test
    void memoryThatAContainerGivesBackReturnsToTheNode() throws Exception {
        var before = memoryOfMachine();
        var script = "exec dd if=/dev/zero of=/dev/null bs=200M count=100000";
        var sweller = crictl.container(pod, "busy", "sweller", script, "");
        Wait.until("it has swollen", () -> memoryOfMachine() > before + 150 * MIB);

        crictl.out("stop", "--timeout", "0", sweller);

        Wait.until("the node has it back", () -> memoryOfMachine() < before + 60 * MIB);
        Files.deleteIfExists(node.base().resolve("tmp/sweller.log"));
    }

    private static long memoryOfMachine() throws Exception {
        var stats = json("statsp", "-o", "json", "--id", pod).path("stats").path(0).path("linux");
        return number(stats, "memory", "usageBytes");
    }

    @Test
    void aLimitAboveWhatTheMachineCanHaveIsRefusedWithWhatThatIs() throws Exception {
        var refused =
                crictl.run("update", "--memory", Long.toString(1L << 40), containers.get("idler"));
        assertThat(refused.exit()).isNotZero();
        assertThat(refused.err())
                .contains("the memory limit", "its machine can have at most", "MiB");
    }

    @Test
    void filtersAreHonoured() throws Exception {
        assertThat(json("stats", "-o", "json", "--pod", pod).path("stats")).hasSize(4);
        assertThat(json("statsp", "-o", "json", "--label", "app=other").path("stats").isEmpty())
                .isTrue();
        assertThat(List.of(crictl.out("stats").split("\n"))).hasSize(5);
    }
}
