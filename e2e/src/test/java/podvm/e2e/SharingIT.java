package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One pod of two containers, looked at from both. */
class SharingIT {
    @RegisterExtension static final Node node = Node.ordinary();

    @BeforeAll
    static void twoContainersRun() throws Exception {
        node.running(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: crew}
                spec:
                  hostname: bridge
                  subdomain: ship
                  hostAliases:
                    - {ip: 10.1.2.3, hostnames: [db.example, db]}
                  terminationGracePeriodSeconds: 1
                  volumes:
                    - {name: disk, emptyDir: {}}
                    - {name: memory, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
                  containers:
                    - name: one
                      image: localhost/box:1
                      command: [sh, -c, 'echo hello from one >/tmp/index.html; exec httpd -f -p 127.0.0.1:8080 -h /tmp']
                      volumeMounts:
                        - {name: disk, mountPath: /disk}
                        - {name: memory, mountPath: /memory}
                    - name: two
                      image: localhost/box:1
                      command: [sleep, "100000"]
                      volumeMounts:
                        - {name: disk, mountPath: /elsewhere/disk, readOnly: true}
                        - {name: memory, mountPath: /memory}
                """);
    }

    private static String one(String script) throws Exception {
        return node.shell("crew", "one", script);
    }

    private static String two(String script) throws Exception {
        return node.shell("crew", "two", script);
    }

    @Test
    void aPodWithoutIpv6AddressTakesNoneFromItsNetwork() throws Exception {
        assertThat(two("cat /proc/sys/net/ipv6/conf/eth0/accept_ra").strip()).isEqualTo("0");
        assertThat(two("cat /proc/net/if_inet6")).contains(" lo").doesNotContain("eth0");
    }

    @Test
    void containersReachEachOtherOverLoopback() throws Exception {
        assertThat(two("until wget -qO- http://127.0.0.1:8080/; do usleep 50000; done"))
                .contains("hello from one");
    }

    @Test
    void containersShareMemoryAndSemaphoresOfSystemV() throws Exception {
        assumeTrue(Box.hasProbe(), "no C compiler for the probe of system calls");
        assertThat(one("probe shared-write")).isEqualTo("ok\n");
        assertThat(two("probe shared-read")).isEqualTo("written by another container\n");
    }

    @Test
    void containersShareMessageQueues() throws Exception {
        one("touch /dev/mqueue/orders");
        assertThat(two("ls /dev/mqueue")).contains("orders");
    }

    @Test
    void containersShareDevShm() throws Exception {
        one("echo shared >/dev/shm/note");
        assertThat(two("cat /dev/shm/note")).isEqualTo("shared\n");
    }

    @Test
    void containersShareTheHostName() throws Exception {
        assertThat(one("hostname") + two("cat /proc/sys/kernel/hostname"))
                .isEqualTo("bridge\nbridge\n");
    }

    @Test
    void hostAliasesAndTheSubdomainAreInEtcHosts() throws Exception {
        var hosts = two("cat /etc/hosts");
        assertThat(hosts)
                .containsPattern("(?m)^10\\.1\\.2\\.3\\s+db\\.example\\s+db$")
                .containsPattern(
                        "(?m)^[0-9.]+\\s+bridge\\.ship\\.default\\.svc\\.cluster\\.local\\s+bridge$")
                .containsPattern("(?m)^127\\.0\\.0\\.1\\s+localhost");
    }

    @Test
    void anEmptyDirOnDiskIsShared() throws Exception {
        one("echo from one >/disk/file");
        assertThat(two("cat /elsewhere/disk/file")).isEqualTo("from one\n");
        assertThat(one("grep ' /disk ' /proc/mounts")).doesNotContain("tmpfs");
    }

    @Test
    void aReadOnlyMountCannotBeWritten() throws Exception {
        var refused = node.podvm("exec", "-c", "two", "crew", "--", "touch", "/elsewhere/disk/new");
        assertThat(refused.exit()).isNotZero();
        assertThat(refused.err()).contains("Read-only file system");
    }

    @Test
    void anEmptyDirInMemoryIsSharedAndLimited() throws Exception {
        one("echo from one >/memory/file");
        assertThat(two("cat /memory/file; grep ' /memory ' /proc/mounts"))
                .startsWith("from one\n")
                .contains("tmpfs");
        var full =
                node.podvm(
                        "exec",
                        "-c",
                        "two",
                        "crew",
                        "--",
                        "dd",
                        "if=/dev/zero",
                        "of=/memory/big",
                        "bs=1M",
                        "count=2");
        assertThat(full.err()).contains("No space left on device");
    }

    @Test
    void containersHaveRootsAndProcessesOfTheirOwn() throws Exception {
        one("echo mine >/mine");
        assertThat(two("ls / && ps")).doesNotContain("mine").doesNotContain("httpd");
        assertThat(two("cat /proc/1/comm")).isEqualTo("sleep\n");
    }

    @Test
    void thePodHasItsOwnNetworkThatReachesOut() throws Exception {
        assertThat(one("ip -4 addr")).containsPattern("inet 10\\.0\\.2\\.");
        assertThat(two("cat /etc/resolv.conf")).contains("nameserver");
    }
}
