package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One pod with limits: 1500 thousandths of a CPU and 160 MiB together. */
class LimitsIT {
    /** machine.overhead-mib unless configured. */
    private static final int OVERHEAD_MIB = 128;

    @RegisterExtension static final Node node = Node.ordinary();

    @BeforeAll
    static void aPodWithLimitsRuns() throws Exception {
        node.running(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: limited}
                spec:
                  restartPolicy: Never
                  terminationGracePeriodSeconds: 1
                  containers:
                    - name: half
                      image: localhost/box:1
                      command: [sleep, "100000"]
                      resources: {limits: {cpu: 500m, memory: 96Mi}}
                    - name: greedy
                      image: localhost/box:1
                      command: [dd, if=/dev/zero, of=/dev/null, bs=128M, count=1]
                      resources: {limits: {cpu: "1", memory: 64Mi}}
                """);
    }

    @Test
    void aContainersLimitsAreItsCgroupsLimits() throws Exception {
        assertThat(node.shell("limited", "half", "cd /sys/fs/cgroup; cat memory.max cpu.max"))
                .isEqualTo("%d\n50000 100000\n".formatted(96 << 20));
    }

    @Test
    void theMachineHasTheSumOfTheLimitsRoundedToWholeCpus() throws Exception {
        var pod = node.inspect("limited");
        assertThat(pod.path("vcpus").asInt()).isEqualTo(2);
        assertThat(pod.path("memoryMib").asInt()).isEqualTo(96 + 64 + OVERHEAD_MIB);
        assertThat(node.shell("limited", "half", "nproc").strip()).isEqualTo("2");
        var total =
                node.shell("limited", "half", "grep MemTotal /proc/meminfo").replaceAll("\\D", "");
        assertThat(Long.parseLong(total) / 1024).isBetween(160L, 96L + 64 + OVERHEAD_MIB);
    }

    @Test
    void aContainerThatTakesMoreThanItsLimitIsKilledAloneAndReported() throws Exception {
        Wait.until(
                "greedy has ended",
                () ->
                        node.container("limited", "greedy")
                                .path("state")
                                .asString()
                                .equals("terminated"));
        assertThat(node.podvm("events").expect(0).out())
                .contains("oom-killed  default/limited/greedy")
                .containsPattern(
                        "exited      default/limited/greedy \\(\\w+\\) code 137 OOMKilled");
        var greedy = node.container("limited", "greedy");
        assertThat(greedy.path("reason").asString()).isEqualTo("OOMKilled");
        assertThat(greedy.path("exitCode").asInt()).isEqualTo(137);
        assertThat(node.container("limited", "half").path("state").asString()).isEqualTo("running");
    }
}
