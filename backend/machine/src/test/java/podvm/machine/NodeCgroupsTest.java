package podvm.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.MachineSize;
import podvm.engine.NodeGroup;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;

/** With folders in the place of the kernel's trees: files are there where the test makes them. */
class NodeCgroupsTest {
    private static final MachineSize SIZE = new MachineSize(1, 1152);
    private static final String PARENT = "/kubepods/burstable/pod1";

    @TempDir Path temporary;

    private final List<String> warnings = new ArrayList<>();
    private Path root = Path.of("/");
    private PodDirectory directory = new PodDirectory(PodId.random(), root);

    @BeforeEach
    void aMachineHasADirectory() throws Exception {
        root = Files.createDirectory(temporary.resolve("cgroup"));
        directory = PodDirectory.of(PodDirectory.prepare(temporary), PodId.random());
        directory.create();
    }

    private NodeCgroups cgroups() {
        return new NodeCgroups(root, warnings::add);
    }

    private Path leaf(String tree) {
        return root.resolve(tree).resolve(PARENT.substring(1)).resolve("podvm-" + directory.pod());
    }

    private Path file(String tree, String name) throws IOException {
        Files.createDirectories(leaf(tree));
        return Files.createFile(leaf(tree).resolve(name));
    }

    @Test
    void aParentIsAPathOrASliceAndNothingElse() throws Exception {
        assertThat(NodeCgroups.relative("/kubepods/burstable/pod1"))
                .isEqualTo(Path.of("kubepods/burstable/pod1"));
        assertThat(NodeCgroups.relative("kubepods-burstable-pod1.slice"))
                .isEqualTo(
                        Path.of(
                                "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice"));
        for (var wrong : List.of("/a/../../b", "/a\0", "/a\nb", "/" + "x".repeat(300))) {
            assertThatThrownBy(() -> NodeCgroups.relative(wrong))
                    .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                    .matches(e -> e.kind() == Kind.INVALID);
        }
    }

    @Test
    void onTheUnifiedTreeAMachineIsBelowItsPod() throws Exception {
        Files.createFile(root.resolve("cgroup.controllers"));
        var memory = file("", "memory.max");
        var weight = file("", "cpu.weight");

        cgroups().enter(directory, new NodeGroup(PARENT, 1024, true), SIZE, 42);

        assertThat(leaf("").resolve("cgroup.procs")).hasContent("42");
        assertThat(memory).hasContent(Long.toString((1152L + 256) << 20));
        assertThat(weight).hasContent("39");
        assertThat(root.resolve("kubepods/burstable/pod1/cgroup.subtree_control")).exists();
        assertThat(warnings).isEmpty();

        directory.allow(128);
        assertThat(memory).hasContent(Long.toString((1152L + 256 + 128) << 20));
    }

    @Test
    void onSeveralTreesItIsInEachAndWithoutOverheadItIsNotLimited() throws Exception {
        Files.createDirectories(root.resolve("cpu"));
        var memory = file("memory", "memory.limit_in_bytes");
        var shares = file("cpu", "cpu.shares");
        Files.writeString(file("memory", "memory.usage_in_bytes"), "4711\n");

        cgroups().enter(directory, new NodeGroup(PARENT, 512, false), SIZE, 42);

        assertThat(leaf("cpu").resolve("cgroup.procs")).hasContent("42");
        assertThat(leaf("memory").resolve("cgroup.procs")).hasContent("42");
        assertThat(shares).hasContent("512");
        assertThat(memory).isEmptyFile();
        assertThat(directory.chargedMemory()).hasValue(4711);
    }

    @Test
    void whatWasMadeIsRemovedByWhoeverRemovesTheMachineAndWhatWasThereStays() throws Exception {
        Files.createDirectories(root.resolve("memory/kubepods"));

        cgroups().enter(directory, new NodeGroup(PARENT, 0, false), SIZE, 42);
        // the kernel removes its own files with their directory
        Files.delete(leaf("memory").resolve("cgroup.procs"));
        PodDirectory.of(temporary.toRealPath(), directory.pod()).remove();

        assertThat(root.resolve("memory/kubepods")).isEmptyDirectory();
    }

    @Test
    void aNodeWithoutCgroupsIsToldOfOnceAndItsMachinesRun() throws Exception {
        var none = cgroups();
        none.enter(directory, new NodeGroup(PARENT, 0, false), SIZE, 42);
        none.enter(directory, new NodeGroup(PARENT, 0, false), SIZE, 43);
        assertThat(warnings).singleElement().asString().contains("podvmd's own cgroup", PARENT);
    }

    @Test
    void aLimitIsRaisedInTheMachinesOwnCgroupAndNotInParentsThatWereMadeForIt() throws Exception {
        Files.createFile(root.resolve("cgroup.controllers"));
        cgroups().enter(directory, new NodeGroup(PARENT, 1024, true), SIZE, 42);
        var own = file("", "memory.max");
        var parents = Files.createFile(root.resolve(PARENT.substring(1)).resolve("memory.max"));

        directory.allow(128);

        assertThat(own).hasContent(Long.toString((1152L + 256 + 128) << 20));
        assertThat(parents).isEmptyFile();
    }
}
