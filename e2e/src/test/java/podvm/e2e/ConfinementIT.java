package podvm.e2e;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a container may do inside its machine, and how large the agent is. */
class ConfinementIT {
    /** linux/capability.h: the bits of the 14 capabilities that container engines leave. */
    private static final String DEFAULT_CAPABILITIES = "00000000a80425fb";

    private static final long MOST_AGENT_BYTES = 5_000_000;

    @RegisterExtension static final Node node = Node.ordinary();

    @BeforeAll
    static void aPodOfSeveralSecurityContextsRuns() throws Exception {
        node.running(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: jail}
                spec:
                  restartPolicy: Never
                  terminationGracePeriodSeconds: 1
                  containers:
                    - {name: plain, image: "localhost/box:1", command: [sleep, "100000"]}
                    - name: dropped
                      image: localhost/box:1
                      command: [sleep, "100000"]
                      securityContext:
                        capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}
                        allowPrivilegeEscalation: false
                        readOnlyRootFilesystem: true
                    - name: unconfined
                      image: localhost/box:1
                      command: [sleep, "100000"]
                      securityContext: {seccompProfile: {type: Unconfined}}
                    - name: privileged
                      image: localhost/box:1
                      command: [sleep, "100000"]
                      securityContext: {privileged: true}
                """);
    }

    private static String in(String container, String script) throws Exception {
        return node.shell("jail", container, script);
    }

    private static String status(String container, String field) throws Exception {
        return in(container, "grep " + field + ": /proc/1/status").split("\\s+")[1];
    }

    @Test
    void theSystemCallFilterIsOnUnlessTheManifestSwitchesItOff() throws Exception {
        assertThat(status("plain", "Seccomp")).isEqualTo("2");
        assertThat(status("dropped", "Seccomp")).isEqualTo("2");
        assertThat(status("unconfined", "Seccomp")).isEqualTo("0");
        assertThat(status("privileged", "Seccomp")).isEqualTo("0");
    }

    @Test
    void dangerousSystemCallsAreDenied() throws Exception {
        assumeTrue(Box.hasProbe(), "no C compiler for the probe of system calls");
        for (var call : new String[] {"keyctl", "bpf", "userns", "vsock"}) {
            assertThat(in("plain", "probe " + call)).as(call).isEqualTo("EPERM\n");
        }
        assertThat(in("plain", "probe raw; probe getpid")).isEqualTo("ok\nok\n");
        assertThat(in("dropped", "probe raw")).isEqualTo("EPERM\n");
        assertThat(in("unconfined", "probe keyctl")).isEqualTo("ok\n");
    }

    @Test
    void commandsExecutedLaterAreConfinedAlike() throws Exception {
        assertThat(in("plain", "grep Seccomp: /proc/self/status")).contains("2");
        assertThat(in("plain", "grep CapEff: /proc/self/status")).contains(DEFAULT_CAPABILITIES);
        assertThat(in("dropped", "grep NoNewPrivs: /proc/self/status")).contains("1");
    }

    @Test
    void capabilitiesAreTheUsualOnesUnlessChanged() throws Exception {
        assertThat(status("plain", "CapEff")).isEqualTo(DEFAULT_CAPABILITIES);
        assertThat(status("plain", "CapBnd")).isEqualTo(DEFAULT_CAPABILITIES);
        assertThat(status("dropped", "CapEff")).isEqualTo("0000000000000400");
        assertThat(status("privileged", "CapEff")).matches("0000001fffffffff|000001ffffffffff");
        assertThat(status("dropped", "NoNewPrivs")).isEqualTo("1");
    }

    @Test
    void kernelMemoryAndFirmwareAreMasked() throws Exception {
        assertThat(
                        in(
                                        "plain",
                                        "wc -c </proc/kcore; wc -c </proc/keys; ls -A /sys/firmware | wc -l")
                                .split("\\s+"))
                .containsExactly("0", "0", "0");
    }

    @Test
    void theKernelsSettingsCannotBeWritten() throws Exception {
        for (var file :
                new String[] {
                    "/proc/sys/kernel/hostname",
                    "/proc/sysrq-trigger",
                    "/sys/fs/cgroup/cgroup.procs",
                    "/sys/kernel/mm/ksm/run"
                }) {
            var refused =
                    node.podvm("exec", "-c", "plain", "jail", "--", "sh", "-c", "echo 1 >" + file);
            assertThat(refused.exit()).as(file).isNotZero();
            assertThat(refused.err())
                    .as(file)
                    .containsAnyOf("Read-only file system", "Permission denied", "nonexistent");
        }
    }

    @Test
    void aReadOnlyRootCannotBeWritten() throws Exception {
        assertThat(node.podvm("exec", "-c", "dropped", "jail", "--", "touch", "/new").err())
                .contains("Read-only file system");
    }

    @Test
    void theMachinesDisksAndTheAgentsChannelAreOutOfReach() throws Exception {
        assertThat(in("plain", "ls /dev"))
                .doesNotContain("sd")
                .doesNotContain("vport")
                .doesNotContain("mem");
        var device = in("privileged", "cat /sys/class/block/sda/dev").strip().replace(":", " ");
        var made = "mknod /tmp/disk b " + device + " && dd if=/tmp/disk of=/dev/null count=1";
        var refused = node.podvm("exec", "-c", "plain", "jail", "--", "sh", "-c", made);
        assertThat(refused.exit()).isNotZero();
        assertThat(refused.err()).contains("Operation not permitted");
    }

    @Test
    void filesAndProcessesHaveSensibleLimits() throws Exception {
        assertThat(Integer.parseInt(in("plain", "ulimit -n").strip())).isGreaterThanOrEqualTo(1024);
        assertThat(in("plain", "ulimit -Hn").strip()).isNotEqualTo("0");
    }

    /** The fourth number of /proc/loadavg counts all tasks of the machine, zombies too. */
    @Test
    void endedProcessesAreReaped() throws Exception {
        assumeTrue(Box.hasProbe(), "no C compiler for the probe of system calls");
        var tasks = "cut -d/ -f2 /proc/loadavg | cut -d' ' -f1";
        int before = Integer.parseInt(in("plain", tasks).strip());
        for (int i = 0; i < 10; i++) {
            in("plain", "true | true | true");
        }
        Wait.until(
                "the machine has no more tasks than before",
                () -> Integer.parseInt(in("plain", tasks).strip()) <= before + 3);
        assertThat(in("plain", "ps -o stat")).doesNotContain("Z");
    }

    /**
     * The initramfs is a cpio archive in the newc format, not compressed; the agent is its /init.
     */
    @Test
    void theAgentsProgramIsSmall() throws Exception {
        var bytes = Files.readAllBytes(Distribution.guest().resolve("initramfs.cpio"));
        long largest = 0;
        for (int at = 0; at + 110 <= bytes.length && bytes[at] == '0'; ) {
            long size = hex(bytes, at + 54);
            int nameLength = (int) hex(bytes, at + 94);
            var name = new String(bytes, at + 110, nameLength - 1, US_ASCII);
            if (name.matches("/?(init|sbin/init|podvm-agent)")) {
                largest = Math.max(largest, size);
            }
            long data = align(at + 110 + nameLength);
            at = (int) align(data + size);
        }
        System.out.println("The agent's program has " + largest + " bytes.");
        assertThat(largest).isPositive().isLessThanOrEqualTo(MOST_AGENT_BYTES);
    }

    private static long align(long offset) {
        return (offset + 3) / 4 * 4;
    }

    private static long hex(byte[] bytes, int at) {
        return Long.parseLong(new String(bytes, at, 8, US_ASCII), 16);
    }
}
