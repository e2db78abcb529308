package podvm.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Agent;
import podvm.engine.ContainerId;
import podvm.engine.ContainerSpec;
import podvm.engine.ContainerSpec.EnvSpec;
import podvm.engine.Digest;
import podvm.engine.Image;
import podvm.engine.ImageConfig;
import podvm.engine.LayerDisk;
import podvm.engine.MachineSize;
import podvm.engine.NetworkChoice;
import podvm.engine.NetworkRequest;
import podvm.engine.PodEvent;
import podvm.engine.PodId;
import podvm.engine.PodRecord;
import podvm.engine.PodSpec;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState;
import podvm.engine.PullPolicy;
import podvm.engine.VolumeSpec;

class JournalFilesTest {
    @TempDir Path directory;

    private final List<PodEvent> events = new ArrayList<>();

    @Test
    void whatWasWrittenIsReadBackWhole() throws Exception {
        var record = record(PodId.random());
        new JournalFiles(directory, events::add).write(record);

        var read = new JournalFiles(directory, events::add).readAll();

        assertThat(read).usingRecursiveComparison().isEqualTo(List.of(record));
        assertThat(events).isEmpty();
    }

    @Test
    void aRecordOfADaemonThatMeasuredNoAgentsIsRead() throws Exception {
        var journal = new JournalFiles(directory, events::add);
        var record = record(PodId.random());
        journal.write(record);
        var file = directory.resolve(record.id().text()).resolve("pod.json");
        var older = Files.readString(file).replaceFirst("\"agentRssBytes\" : \\d+,", "");
        assertThat(older).doesNotContain("agentRssBytes");
        Files.writeString(file, older);

        assertThat(journal.readAll().getFirst().status().agentRssBytes()).isEmpty();
        assertThat(events).isEmpty();
    }

    @Test
    void aDeletedPodIsGoneWithItsLogs() throws Exception {
        var journal = new JournalFiles(directory, events::add);
        var record = record(PodId.random());
        journal.write(record);
        Files.createDirectories(journal.logs(record.id()).resolve("web"));
        Files.writeString(journal.logs(record.id()).resolve("web/000000.000000.log"), "x");

        journal.delete(record.id());
        journal.delete(record.id());

        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void aDamagedRecordIsSetAsideAndTheOthersAreRead() throws Exception {
        var journal = new JournalFiles(directory, events::add);
        var good = record(PodId.random());
        var bad = record(PodId.random());
        journal.write(good);
        journal.write(bad);
        var file = directory.resolve(bad.id().text()).resolve("pod.json");
        Files.writeString(file, Files.readString(file).substring(0, 100));

        assertThat(journal.readAll()).extracting(PodRecord::id).containsExactly(good.id());

        assertThat(events).extracting(PodEvent::name).containsExactly("JournalUnreadable");
        assertThat(directory.resolve(bad.id().text()).resolve("pod.json.unreadable")).exists();
    }

    @Test
    void aHalfDeletedPodIsRemovedForGood() throws Exception {
        var journal = new JournalFiles(directory, events::add);
        var record = record(PodId.random());
        journal.write(record);
        Files.delete(directory.resolve(record.id().text()).resolve("pod.json"));

        assertThat(journal.readAll()).isEmpty();
        assertThat(directory).isEmptyDirectory();
    }

    private static PodRecord record(PodId id) {
        var container =
                new ContainerSpec(
                        "web",
                        "localhost/web:1",
                        PullPolicy.IF_NOT_PRESENT,
                        Optional.of(List.of("sh", "-c")),
                        Optional.empty(),
                        List.of(
                                new EnvSpec.Text("A", "$(B)"),
                                new EnvSpec.Verbatim("C", "ü"),
                                new EnvSpec.Field("D", "status.podIP"),
                                new EnvSpec.Resource("E", "web", "limits.cpu", 1)),
                        Optional.of("/srv"),
                        List.of(new ContainerSpec.MountSpec("v", "/v", true, "")),
                        new ContainerSpec.Resources(
                                Optional.of(500L),
                                Optional.empty(),
                                Optional.of(1L << 30),
                                Optional.empty(),
                                Map.of("2MB", 4L << 20)),
                        new ContainerSpec.SecuritySpec(
                                Optional.of(1000),
                                Optional.empty(),
                                true,
                                List.of(5),
                                false,
                                false,
                                true,
                                false,
                                Set.of("NET_ADMIN"),
                                Set.of()),
                        true,
                        false,
                        true);
        var spec =
                new PodSpec(
                        "default",
                        "web",
                        Map.of("app", "web"),
                        Map.of(),
                        "web",
                        "",
                        List.of(new PodSpec.HostAlias("10.0.0.1", List.of("db"))),
                        PodSpec.RestartPolicy.ON_FAILURE,
                        Duration.ofSeconds(30),
                        List.of(),
                        List.of(container),
                        Map.of(
                                "v",
                                new VolumeSpec.Files(
                                        List.of(
                                                new Agent.VolumeFile(
                                                        "key", new byte[] {1, 2}, 0644, 0, 0))),
                                "m",
                                new VolumeSpec.Memory(1 << 20),
                                "pages",
                                new VolumeSpec.Hugepages(2 << 20),
                                "e",
                                new VolumeSpec.EmptyDir()),
                        new NetworkChoice.Named("podnet"),
                        List.of(
                                new NetworkRequest.PortMapping(
                                        NetworkRequest.PortMapping.Protocol.TCP, 80, 8080, "")));
        var now = Instant.parse("2026-01-02T03:04:05.123456789Z");
        var status =
                new PodStatus(
                        id,
                        spec,
                        PodStatus.Phase.RUNNING,
                        "",
                        "",
                        "",
                        now,
                        Optional.empty(),
                        List.of("10.0.2.15"),
                        Optional.of(new MachineSize(1, 1152)),
                        Optional.of(3_000_000L),
                        List.of(
                                new PodStatus.ContainerStatus(
                                        "web",
                                        false,
                                        "localhost/web:1",
                                        "sha256:" + "a".repeat(64),
                                        Optional.of(ContainerId.random()),
                                        new ContainerState.Running(now),
                                        Optional.of(
                                                new ContainerState.Terminated(
                                                        1, 0, "Error", "", now, now)),
                                        1)),
                        List.of(new PodStatus.Stage("accepted", now)),
                        Optional.empty());
        var digest = new Digest("b".repeat(64));
        var image =
                new Image(
                        digest,
                        List.of("localhost/web:1"),
                        List.of(new LayerDisk(digest, Path.of("/layers/b.erofs"), 4096)),
                        new ImageConfig(
                                List.of(),
                                List.of("sh"),
                                List.of("A=1"),
                                "",
                                "/",
                                "SIGINT",
                                Map.of()),
                        new Image.Platform("linux", "amd64"),
                        now);
        return new PodRecord(PodRecord.Stage.STARTED, status, List.of(image), Optional.empty());
    }
}
