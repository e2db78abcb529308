package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A pod whose limits rise above what its machine was started with, and fall again. */
class GrowthIT {
    private static final long MIB = 1 << 20;

    /** What a machine has where nobody says how much it needs: one vCPU, 1152 MiB. */
    private static final long BOOTED = 1152 * MIB;

    @RegisterExtension static final Node node = Node.ofKubelet();

    private static Crictl crictl;
    private static String pod;
    private static String main;

    @BeforeAll
    static void aPodRuns() throws Exception {
        crictl = Crictl.of(node);
        pod = crictl.sandbox("grower");
        main =
                crictl.container(
                        pod,
                        "grower",
                        "main",
                        "exec sleep 1000",
                        """
                        , "linux": {"resources": {"cpu_period": 100000, "cpu_quota": 100000,
                          "memory_limit_in_bytes": %d}}
                        """
                                .formatted(600 * MIB));
    }

    @AfterAll
    static void nothingIsLeft() throws Exception {
        crictl.out("rmp", "--force", pod);
        for (var name : List.of("main", "other", "sweller")) {
            Files.deleteIfExists(node.base().resolve("tmp/" + name + ".log"));
        }
    }

    @Test
    void theMachineGrowsWithThePodAndShrinksWithIt() throws Exception {
        assertThat(shell("nproc")).isEqualTo("1");
        assertThat(total()).isLessThan(BOOTED);

        crictl.out("update", "--cpu-quota", "200000", "--memory", Long.toString(1400 * MIB), main);

        assertThat(shell("nproc")).isEqualTo("2");
        assertThat(total()).isGreaterThan(BOOTED + 256 * MIB);
        assertThat(takes(1300)).isTrue();
        var script = "exec dd if=/dev/zero of=/dev/null bs=1100M count=100000";
        var sweller = crictl.container(pod, "grower", "sweller", script, "");
        Wait.until("it has swollen", () -> memoryOfMachine() > 1200 * MIB);

        node.killDaemon();
        node.startDaemon();
        crictl.out("stop", "--timeout", "0", sweller);
        crictl.out("rm", sweller);
        crictl.out("update", "--cpu-quota", "100000", "--memory", Long.toString(600 * MIB), main);

        assertThat(shell("nproc")).isEqualTo("1");
        Wait.until("the node has the memory back", () -> memoryOfMachine() < 600 * MIB);
        assertThat(takes(700)).isFalse();
    }

    @Test
    void whatIsAboveTheRoomIsRefusedByName() throws Exception {
        var other = crictl.container(pod, "grower", "other", "exec sleep 1000", "");
        var memory = crictl.run("update", "--memory", Long.toString(1L << 40), other);
        assertThat(memory.exit()).isNotZero();
        assertThat(memory.err()).contains("the memory limit", "can have at most", "MiB");
        var cpu = crictl.run("update", "--cpu-quota", "100000000", other);
        assertThat(cpu.exit()).isNotZero();
        assertThat(cpu.err()).contains("the CPU limit", "can have at most", "vCPUs");
        crictl.out("stop", "--timeout", "0", other);
        crictl.out("rm", other);
    }

    /** Whether a program can have so much memory, and use it; else its container is killed. */
    private static boolean takes(int mib) throws Exception {
        var dd = "dd if=/dev/zero of=/dev/null bs=%dM count=1 2>/dev/null".formatted(mib);
        return crictl.run("exec", "--sync", main, "sh", "-c", dd).exit() == 0;
    }

    private static long total() throws Exception {
        return Long.parseLong(shell("grep MemTotal /proc/meminfo").replaceAll("\\D", "")) * 1024;
    }

    private static String shell(String script) throws Exception {
        return crictl.out("exec", "--sync", main, "sh", "-c", script);
    }

    private static long memoryOfMachine() throws Exception {
        var stats = crictl.run("statsp", "-o", "json", "--id", pod).expect(0).json();
        var memory = stats.path("stats").path(0).path("linux").path("memory").path("usageBytes");
        return Long.parseLong(memory.path("value").asString("0"));
    }
}
