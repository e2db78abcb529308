package podvm.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Agent;
import podvm.engine.Agent.VolumeFile;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.Mount;
import podvm.engine.ContainerConfig.MountSource;
import podvm.engine.ContainerId;
import podvm.engine.Digest;
import podvm.engine.MachineSize;
import podvm.engine.NetworkRequest;
import podvm.engine.NodeGroup;
import podvm.engine.PodEvent;
import podvm.engine.SandboxBounds;
import podvm.engine.SandboxContainer;
import podvm.engine.SandboxId;
import podvm.engine.SandboxRecord;
import podvm.engine.SandboxShare;
import podvm.engine.SandboxSpec;
import podvm.engine.Shares;
import podvm.engine.UserMapping;
import podvm.engine.seccomp.SeccompProfile;

final class SandboxJournalFilesTest {
    @TempDir Path directory;
    private final List<PodEvent> events = new ArrayList<>();

    @Test
    void whatIsWrittenIsReadAgainWithEveryField() throws Exception {
        var record = record();
        new SandboxJournalFiles(directory, events::add).write(record);
        var read = new SandboxJournalFiles(directory, events::add).readAll();
        assertThat(read).usingRecursiveFieldByFieldElementComparator().containsExactly(record);
        assertThat(events).isEmpty();
    }

    @Test
    void aDeletedRecordIsGoneAndDeletingItAgainIsFine() throws Exception {
        var journal = new SandboxJournalFiles(directory, events::add);
        var record = record();
        journal.write(record);
        journal.delete(record.id());
        journal.delete(record.id());
        assertThat(journal.readAll()).isEmpty();
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void whatCannotBeReadIsSetAsideAndStaysThere() throws Exception {
        var journal = new SandboxJournalFiles(directory, events::add);
        var record = record();
        journal.write(record);
        var home = directory.resolve(record.id().pod().text());
        Files.writeString(home.resolve("sandbox.json"), "{");
        assertThat(journal.readAll()).isEmpty();
        assertThat(journal.readAll()).isEmpty();
        assertThat(home.resolve("sandbox.json.unreadable")).exists();
        assertThat(events).extracting(PodEvent::name).containsExactly("JournalUnreadable");
    }

    @Test
    void theJournalOfPodsLeavesASandboxesDirectoryAlone() throws Exception {
        var journal = new SandboxJournalFiles(directory, events::add);
        var record = record();
        journal.write(record);
        var disk = directory.resolve(record.id().pod().text()).resolve("scratch");
        Files.writeString(disk, "");
        assertThat(new JournalFiles(directory, events::add).readAll()).isEmpty();
        assertThat(disk).exists();
        assertThat(journal.readAll()).hasSize(1);
        journal.delete(record.id());
        assertThat(disk).doesNotExist();
    }

    private static SeccompProfile profile() {
        return new SeccompProfile(
                SeccompProfile.Action.ALLOW,
                List.of("SCMP_ARCH_X86"),
                List.of(
                        new SeccompProfile.Rule(
                                List.of("socket"),
                                SeccompProfile.Action.KILL,
                                List.of(
                                        new SeccompProfile.Condition(
                                                5, SeccompProfile.Comparison.MASKED_EQUAL, -1, 1)),
                                Set.of("CAP_CHOWN"),
                                Set.of())));
    }

    private static SandboxRecord record() {
        var id = SandboxId.random();
        var spec =
                new SandboxSpec(
                        new SandboxSpec.Metadata("web", "uid", "default", 2),
                        "podvm",
                        "web-0",
                        Optional.of(Path.of("/var/log/pods/web")),
                        new NetworkRequest.Dns(
                                List.of("10.0.0.2"), List.of("a.b"), List.of("ndots:5")),
                        List.of(
                                new NetworkRequest.PortMapping(
                                        NetworkRequest.PortMapping.Protocol.UDP, 53, 5353, "")),
                        Map.of("app", "web"),
                        Map.of("note", "x"),
                        Map.of("net.core.somaxconn", "100"),
                        new SandboxSpec.Limits(
                                Optional.of(500L), Optional.of(1L << 20), 3, Map.of("2MB", 4L)),
                        Optional.of(new NodeGroup("/kubepods/pod1", 512, true)),
                        Optional.of(new UserMapping(1000, 2000, 65_536)));
        var config =
                new ContainerConfig(
                        new ContainerConfig.Metadata("main", 1),
                        "sha256:x",
                        "busybox",
                        List.of("sleep"),
                        List.of("1"),
                        "/srv",
                        List.of(new ContainerConfig.Variable("A", "b")),
                        List.of(
                                mount(
                                        new MountSource.Files(
                                                "cm",
                                                List.of(
                                                        new VolumeFile(
                                                                "a",
                                                                new byte[] {1, 2},
                                                                0644,
                                                                0,
                                                                0)))),
                                mount(new MountSource.EmptyDir("data")),
                                mount(new MountSource.Memory("shm", 9)),
                                mount(new MountSource.HostPath(Path.of("/srv"))),
                                mount(
                                        new MountSource.ImageFiles(
                                                "tools",
                                                Optional.of(new Digest("cd".repeat(32)))))),
                        List.of(new ContainerConfig.Device("/dev/null", "/dev/zero", "rwm")),
                        Map.of("l", "1"),
                        Map.of("a", "2"),
                        Optional.of(Path.of("/var/log/pods/web/main/1.log")),
                        true,
                        true,
                        false,
                        new ContainerConfig.Resources(
                                1,
                                2,
                                3,
                                4,
                                5,
                                -6,
                                "0",
                                "1",
                                Map.of("2MB", 0L),
                                Map.of("memory.min", "7")),
                        new ContainerConfig.Security(
                                true,
                                new ContainerConfig.User(Optional.of(1), Optional.of(2), ""),
                                List.of(3),
                                ContainerConfig.GroupsPolicy.STRICT,
                                Set.of("NET_ADMIN"),
                                Set.of("ALL"),
                                Set.of("KILL"),
                                true,
                                true,
                                List.of("/proc/keys"),
                                List.of("/proc/sys"),
                                new ContainerConfig.Seccomp.Localhost(profile()),
                                "unconfined",
                                ""),
                        new ContainerConfig.PidNamespace.Target(ContainerId.randomLong()),
                        "SIGINT");
        var container =
                new SandboxContainer(
                        ContainerId.randomLong(),
                        id,
                        config,
                        new Digest("ab".repeat(32)),
                        SandboxContainer.State.EXITED,
                        Instant.parse("2026-01-01T00:00:00.000000001Z"),
                        Optional.of(Instant.parse("2026-01-01T00:00:01Z")),
                        Optional.empty(),
                        3,
                        "Error",
                        "why",
                        Optional.of(new Agent.ResolvedUser(1000, -2, List.of(10, -2))));
        return new SandboxRecord(
                id,
                spec,
                SandboxRecord.Stage.STARTED,
                Instant.parse("2026-01-01T00:00:00Z"),
                new MachineSize(1, 640),
                List.of("10.0.2.15"),
                "",
                "",
                List.of(new SandboxRecord.Held(container, true)),
                List.of(
                        new SandboxShare(
                                new Shares.ShareSpec(
                                        "h1",
                                        new Shares.Tree(
                                                Path.of("/srv"),
                                                Shares.Writable.BELOW_MOUNTS,
                                                Shares.Mounts.LIVE)),
                                List.of(container.id()))),
                new SandboxBounds(Optional.of(5L), "0-1", ""));
    }

    private static Mount mount(MountSource source) {
        return new Mount("/m", source, "s", true, false, Mount.Propagation.PRIVATE, false);
    }
}
