package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What two containers of one pod find: one as usual, one privileged. */
class RightsIT {
    @RegisterExtension static final Node node = Node.ofKubelet();

    private static Crictl crictl;
    private static String sandbox;
    private static String pod;
    private static String usual;
    private static String privileged;

    @BeforeAll
    static void aPodWithTwoContainersRuns() throws Exception {
        crictl = Crictl.of(node);
        sandbox =
                crictl.file(
                        """
                        {"metadata": {"name": "rights", "uid": "u", "namespace": "default"},
                         "linux": {"sysctls": {"kernel.shm_rmid_forced": "1", "kernel.shmmax": "1000000",
                           "kernel.msgmax": "9000", "kernel.sem": "300 32000 100 200",
                           "fs.mqueue.msg_max": "77", "net.ipv4.ip_local_port_range": "2000 3000",
                           "net.core.somaxconn": "99", "vm.swappiness": "7"}}}
                        """);
        pod = crictl.out("runp", sandbox);
        usual =
                container(
                        "usual",
                        """
                        {"run_as_user": {"value": 1000}, "run_as_group": {"value": 2000},
                         "supplemental_groups": [3000, 4000], "seccomp": {"profile_type": 0},
                         "masked_paths": ["/proc/kcore", "/proc/keys", "/sys/firmware"],
                         "readonly_paths": ["/proc/sys", "/proc/bus"],
                         "namespace_options": {"pid": 1}}
                        """);
        privileged =
                container(
                        "privileged",
                        """
                        {"privileged": true, "namespace_options": {"pid": 3, "target_id": "%s"}}
                        """
                                .formatted(usual));
    }

    private static String container(String name, String security) throws Exception {
        var config =
                crictl.file(
                        """
                        {"metadata": {"name": "%s"}, "image": {"image": "localhost/box:1"},
                         "command": ["sleep", "1000"], "linux": {"security_context": %s}}
                        """
                                .formatted(name, security));
        var id = crictl.out("create", pod, config, sandbox);
        crictl.out("start", id);
        return id;
    }

    @AfterAll
    static void nothingIsLeft() throws Exception {
        crictl.out("rmp", "--force", pod);
    }

    private static String shell(String id, String script) throws Exception {
        return crictl.out("exec", "--sync", id, "sh", "-c", script + " 2>&1");
    }

    @Test
    void everySysctlOfTheMachineIsThePodsAlsoThoseWithoutANamespace() throws Exception {
        var files =
                "cd /proc/sys && cat kernel/shm_rmid_forced kernel/shmmax kernel/msgmax kernel/sem"
                        + " fs/mqueue/msg_max net/ipv4/ip_local_port_range net/core/somaxconn"
                        + " vm/swappiness | tr '\\t' ' '";
        assertThat(shell(usual, files))
                .isEqualTo("1\n1000000\n9000\n300 32000 100 200\n77\n2000 3000\n99\n7");
    }

    @Test
    void aPrivilegedContainerHasAllOfItsMachineAndAnUnprivilegedHasNot() throws Exception {
        var status = "grep -E '^(CapEff|Seccomp):' /proc/self/status | cut -f 2";
        assertThat(shell(privileged, status)).isEqualTo("000001ffffffffff\n0");
        assertThat(shell(usual, status)).isEqualTo("0000000000000000\n2");
        var write = "echo 8 > /proc/sys/vm/swappiness && echo written || echo refused";
        assertThat(shell(usual, write)).contains("refused").doesNotContain("written");
        assertThat(shell(privileged, write + "; echo 7 > /proc/sys/vm/swappiness"))
                .isEqualTo("written");
        assertThat(
                        shell(
                                privileged,
                                "mkdir /tmp/m && mount -t tmpfs t /tmp/m && ls /dev/sda && echo ok"))
                .endsWith("ok");
        assertThat(shell(privileged, "wc -c < /proc/cmdline")).isNotEqualTo("0");
    }

    @Test
    void usersAndGroupsAreThoseThatWereAskedFor() throws Exception {
        // 1002 is what the image's own /etc/group adds
        assertThat(shell(usual, "id -u; id -g; id -G | tr ' ' '\\n' | sort -n | tr '\\n' ' '"))
                .isEqualTo("1000\n2000\n1002 2000 3000 4000");
    }

    @Test
    void sharedMemoryIsOneForAllContainersOfThePod() throws Exception {
        shell(usual, "echo hello > /dev/shm/greeting");
        assertThat(shell(privileged, "cat /dev/shm/greeting")).isEqualTo("hello");
        assertThat(shell(usual, "df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2"))
                .isEqualTo("65536");
    }

    @Test
    void aContainerSeesTheProcessesOfTheOneItTargets() throws Exception {
        assertThat(shell(privileged, "tr '\\0' ' ' < /proc/1/cmdline")).isEqualTo("sleep 1000");
        assertThat(shell(usual, "ps -o pid,args | grep -c '[s]leep 1000'")).isEqualTo("2");
    }

    /** In a shared namespace of process ids no kernel ends them. */
    @Test
    void whatAContainerStartedEndsWithIt() throws Exception {
        var config =
                crictl.file(
                        """
                        {"metadata": {"name": "parent"}, "image": {"image": "localhost/box:1"},
                         "command": ["sh", "-c", "sleep 2000 & sleep 1"],
                         "linux": {"security_context": {"namespace_options": {"pid": 0}}}}
                        """);
        var id = crictl.out("create", pod, config, sandbox);
        crictl.out("start", id);
        Wait.until(
                "the container has ended",
                () -> crictl.out("inspect", id).contains("CONTAINER_EXITED"));
        crictl.out("rm", id);
        assertThat(crictl.out("ps", "-a", "-q")).doesNotContain(id);
    }

    /** A kubelet says procMount Unmasked by empty lists of what is hidden. */
    @Test
    void anUnmaskedContainerSeesAllOfProcAndAUsualOneDoesNot() throws Exception {
        var unmasked = container("unmasked", "{\"masked_paths\": [], \"readonly_paths\": []}");
        var looks = "test -s /proc/kcore && echo kcore; ls /sys/firmware | wc -l";
        assertThat(shell(usual, looks)).isEqualTo("0");
        assertThat(shell(unmasked, looks)).startsWith("kcore\n").isNotEqualTo("kcore\n0");
        var readOnly = "grep ' /proc/sys proc ro' /proc/mounts | wc -l";
        assertThat(shell(usual, readOnly)).isEqualTo("1");
        assertThat(shell(unmasked, readOnly)).isEqualTo("0");
        crictl.out("stop", "--timeout", "0", unmasked);
        crictl.out("rm", unmasked);
    }

    @Test
    void limitsAreThoseOfAContainerEngineForTheContainerAndForWhatIsExecutedInIt()
            throws Exception {
        var limits = "ulimit -Sn; ulimit -Hn; ulimit -u; ulimit -c";
        assertThat(shell(usual, limits)).isEqualTo("1024\n524288\nunlimited\nunlimited");
        var ofItself = "grep -E 'open files|processes|core' /proc/1/limits | tr -s ' '";
        assertThat(shell(privileged, ofItself))
                .contains("open files 1024 524288", "processes unlimited unlimited");
    }
}
