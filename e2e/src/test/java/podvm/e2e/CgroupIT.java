package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The node's accounting of machines, where a kubelet expects it. */
class CgroupIT {
    private static final String PARENT = "/podvm-it-" + ProcessHandle.current().pid() + "/pod1";

    @RegisterExtension static final Node node = Node.ofKubelet();

    private static Crictl crictl;

    @BeforeAll
    static void crictlIsThereAndCgroupsCanBeWritten() throws Exception {
        var tree = memoryTree();
        boolean writable = tree.isPresent() && Files.isWritable(tree.get()) && Host.isRoot();
        if (!writable) {
            System.out.println("skipped: the cgroups of this host cannot be written");
        }
        assumeTrue(writable, "the cgroups of this host cannot be written");
        crictl = Crictl.of(node);
    }

    private static Optional<Path> memoryTree() {
        return List.of("/sys/fs/cgroup/memory", "/sys/fs/cgroup").stream()
                .map(Path::of)
                .filter(tree -> Files.exists(tree.resolve("cgroup.procs")))
                .findFirst();
    }

    @Test
    void aMachineIsBelowItsPodsCgroupAndNothingIsLeftAfterADaemonsDeath() throws Exception {
        var pod =
                crictl.out(
                        "runp",
                        crictl.file(
                                """
                                {"metadata": {"name": "counted", "uid": "u", "namespace": "default"},
                                 "linux": {"cgroup_parent": "%s", "resources": {"cpu_shares": 512},
                                           "overhead": {"memory_limit_in_bytes": 67108864}}}
                                """
                                        .formatted(PARENT)));
        var parent = memoryTree().orElseThrow().resolve(PARENT.substring(1));
        Path group;
        try (var below = Files.newDirectoryStream(parent, "podvm-*")) {
            group = below.iterator().next();
        }
        var machine = node.machines().getFirst();
        assertThat(Files.readAllLines(group.resolve("cgroup.procs")))
                .contains(Long.toString(machine));
        var limit =
                Host.read(group.resolve("memory.limit_in_bytes"))
                        .or(() -> Host.read(group.resolve("memory.max")))
                        .orElseThrow();
        // 1024 MiB where nobody says more, the overhead, the guest's own, QEMU's own
        assertThat(Long.parseLong(limit.strip())).isEqualTo((1024L + 64 + 128 + 256) << 20);
        Wait.until("memory is charged", () -> charged(group) > 50L << 20);

        node.killDaemon();
        node.startDaemon();
        crictl.out("stopp", pod);
        crictl.out("rmp", pod);

        assertThat(parent.getParent()).doesNotExist();
    }

    private static long charged(Path group) {
        return Long.parseLong(
                Host.read(group.resolve("memory.usage_in_bytes"))
                        .or(() -> Host.read(group.resolve("memory.current")))
                        .orElse("0")
                        .strip());
    }
}
